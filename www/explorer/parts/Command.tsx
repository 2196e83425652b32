import { Fragment, type JSX } from 'preact';
import { CopyButton } from './CopyButton.tsx';

/** A line for a shell, to be copied. It is broken between its words, not after the dashes of an option. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  return (
    <p class="snippet">
      <code>{text.split(' ').map((word, at) => <Fragment key={at}>{at > 0 && ' '}<span class="word">{word}</span></Fragment>)}</code>
      <CopyButton small label="Copy" title="Copy the command" text={() => text} />
    </p>
  );
}
