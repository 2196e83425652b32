import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { announce } from '../store.ts';

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard interface exists only in secure contexts; the old command still works on a plain http server of one's own.
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'visually-hidden';
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}

interface Props {
  readonly text: () => string;
  readonly label: string;
  /** What assistive technology hears, where the visible label alone would not say what is copied. */
  readonly title?: string;
  readonly small?: boolean;
}

export function CopyButton({ text, label, title, small = false }: Props): JSX.Element {
  const outcome = useSignal<'copied' | 'failed' | null>(null);
  const onClick = async (): Promise<void> => {
    outcome.value = (await copy(text())) ? 'copied' : 'failed';
    announce(outcome.value === 'copied' ? 'Copied' : 'Copying is not allowed here; select the text instead');
    setTimeout(() => {
      outcome.value = null;
    }, 1600);
  };
  return (
    <button type="button" class={small ? 'button quiet small' : 'button quiet'} aria-label={title} onClick={() => void onClick()}>
      {outcome.value === 'copied' ? 'Copied' : outcome.value === 'failed' ? 'Not allowed' : label}
    </button>
  );
}
