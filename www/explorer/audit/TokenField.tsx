/** The token of whoever runs the worker: kept until another worker is shown or the page is closed, shown to nobody, sent to that worker only. */
import type { JSX } from 'preact';
import { refusal, token } from './model.ts';

export function TokenField({ onEnter }: { readonly onEnter?: () => void }): JSX.Element {
  const wrong = refusal.value?.problem === 'not-allowed';
  return (
    <div class="field">
      <label for="audit-token">Token</label>
      <input
        id="audit-token" type="password" value={token.value} autocomplete="off" spellcheck={false} aria-invalid={wrong ? 'true' : undefined} aria-describedby="audit-token-hint"
        onInput={(event) => { token.value = event.currentTarget.value; }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onEnter?.();
        }}
      />
      <p class="hint" id="audit-token-hint">Of whoever runs the worker (AUDIT_TOKEN). It goes to the worker alone, and is gone with this tab.</p>
    </div>
  );
}
