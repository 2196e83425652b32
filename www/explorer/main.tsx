import { render } from 'preact';
import { App } from './parts/App.tsx';
import { fetchRunPart } from './parts/RunPart.tsx';
import { boot } from './store.ts';

const root = document.getElementById('app');
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
  boot();
  void fetchRunPart();
}
