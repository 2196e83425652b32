/** The upgrades of a ledger in words, each beside what the header says. */
import type { JSX } from 'preact';
import type { UpgradeView } from '../../lib/explore-types.ts';
import { sentence } from '../format.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import { Fold, Raw, Verbatim } from './Pieces.tsx';
import { groupedText, spaced } from './words.ts';

const EFFECT: Readonly<Record<UpgradeView['effect'], { readonly icon: IconName; readonly tone: string; readonly word: string }>> = {
  applied: { icon: 'done', tone: 'verified', word: 'Applied' },
  skipped: { icon: 'unchecked', tone: 'unchecked', word: 'Not applied' },
  'not-in-header': { icon: 'info', tone: 'pending', word: 'Not in the header' },
  unknown: { icon: 'unchecked', tone: 'unchecked', word: 'Unknown' },
};

function saidBy({ effect, header, before }: UpgradeView): string {
  switch (effect) {
    case 'applied': return `The header says ${groupedText(header ?? '')}${before === null ? '' : before === header ? ', as did the one before' : `; the one before said ${groupedText(before)}`}.`;
    case 'skipped': return `The header says ${groupedText(header ?? '')}: an upgrade that fails is skipped, and stays in the value.`;
    case 'not-in-header': return 'It changes settings that are entries of the ledger: no header repeats them.';
    case 'unknown': return 'They are shown as they stand in the value.';
  }
}

export function Upgrades({ upgrades }: { readonly upgrades: readonly UpgradeView[] }): JSX.Element {
  return (
    <ul class="upgrades">
      {upgrades.map((upgrade, place) => {
        const { icon, tone, word } = EFFECT[upgrade.effect];
        return (
          <li key={place} data-upgrade={upgrade.type ?? 'unknown'} data-effect={upgrade.effect}>
            <p><strong>{upgrade.type === null ? 'Upgrade' : spaced(upgrade.type)}</strong>: {sentence(upgrade.words)} <span class={`badge tone-${tone}`}><Icon name={icon} />{word}</span></p>
            <p class="hint">{saidBy(upgrade)}</p>
            {upgrade.type === null ? <Verbatim what={`Upgrade ${place + 1} in hexadecimal digits`} text={upgrade.hex} /> : (
              <Fold summary="JSON and bytes">{() => <Raw name={`Upgrade ${place + 1}`} json={upgrade.json} hex={upgrade.hex} />}</Fold>
            )}
          </li>
        );
      })}
    </ul>
  );
}
