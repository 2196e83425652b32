/** What is drawn deeper inside a ledger, loaded once it is opened: the chain around it, and quorum sets as trees. */
export { Chain } from './Chain.tsx';
export { QuorumDrawing } from './Quorum.tsx';
