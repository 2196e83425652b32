import type { JSX } from 'preact';
import type { ToggleName } from '../form.ts';
import { edit, form } from '../store.ts';

/** A choice of the form that is yes or no, with what it means. */
export function Toggle(props: { readonly name: ToggleName; readonly label: string; readonly hint: string }): JSX.Element {
  return (
    <div class="toggle">
      <input
        id={props.name}
        type="checkbox"
        checked={form.value[props.name]}
        aria-describedby={`${props.name}-hint`}
        onChange={(event) => edit({ [props.name]: event.currentTarget.checked })}
      />
      <label for={props.name}>{props.label}</label>
      <p class="hint" id={`${props.name}-hint`}>{props.hint}</p>
    </div>
  );
}
