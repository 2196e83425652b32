import { render } from 'preact';
import { App } from './parts/App.tsx';
import { fetchTakers } from './drops.ts';
import { fetchProofView } from './parts/ProofCheck.tsx';
import { fetchNotices } from './parts/EngineNotice.tsx';
import { fetchRunPart } from './parts/RunPart.tsx';
import { boot } from './store.ts';

const root = document.getElementById('app');

function show(): void {
  if (root === null) return;
  root.replaceChildren();
  render(<App />, root);
  void fetchRunPart();
  void fetchProofView();
  fetchTakers();
  void fetchNotices();
}

// A run that was left unfinished stands above the form, which would move if that were known later; but nobody waits long for it.
void Promise.race([boot(), new Promise((resolve) => setTimeout(resolve, 250))]).then(show);
