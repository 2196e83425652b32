import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';

interface Props {
  readonly class: string;
  readonly onFile: (file: File) => void;
  readonly children: ComponentChildren;
}

/** A place where a file may be dropped. There is always a button that does the same, so it needs no role of its own. */
export function DropZone({ class: name, onFile, children }: Props): JSX.Element {
  const over = useSignal(false);
  const carriesFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;
  return (
    <div
      class={over.value ? `${name} drop over` : `${name} drop`}
      onDragOver={(event) => {
        if (!carriesFile(event)) return;
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => { over.value = false; }}
      onDrop={(event) => {
        over.value = false;
        const file = event.dataTransfer?.files[0];
        if (file === undefined) return;
        // Otherwise the browser leaves the page for the file.
        event.preventDefault();
        onFile(file);
      }}
    >
      {children}
    </div>
  );
}
