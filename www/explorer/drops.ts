/**
 * Whatever is dropped on the page, anywhere: folders and zips with archives, and proofs.
 *
 * Here only what has to happen at once: browsers let a page see what was dropped only while they tell it so. What it is and what becomes
 * of it is a part of its own (`dropped.ts`). Fields that take a file of their own keep it from here.
 */
import { taking } from './folders.ts';

/** One thing that was dropped, by each way that the browser has to it. */
export interface Dropped {
  readonly handle: Promise<FileSystemHandle | null>;
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
}

/** Chrome's, beside the standard's. */
interface Item extends DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

function seen(item: Item): Dropped {
  return {
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null),
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  };
}

function over(event: DragEvent): void {
  const carries = event.dataTransfer?.types.includes('Files') === true;
  document.documentElement.classList.toggle('dropping', carries && event.type === 'dragover');
  // Otherwise the browser leaves the page for the file.
  if (carries) event.preventDefault();
}

async function take(dropped: readonly Dropped[]): Promise<void> {
  try {
    await (await import('./dropped.ts')).takeDropped(dropped);
  } catch {
    taking.value = { name: 'What was dropped', fault: 'The part of the page that reads it could not be loaded. Drop it again.' };
  }
}

function onDrop(event: DragEvent): void {
  const mine = !event.defaultPrevented;
  over(event);
  const files = [...event.dataTransfer?.items ?? []].filter(({ kind }) => kind === 'file');
  if (mine && files.length > 0) void take(files.map(seen));
}

/** Fetches what reads files of this computer ahead of the first of them, which may come when there is no network any more. */
export function fetchTakers(): void {
  // Where it fails now, it is tried again with the first file.
  for (const part of [import('./dropped.ts'), import('./zip.ts')]) part.catch(() => undefined);
}

export function watchDrops(): void {
  addEventListener('dragover', over);
  addEventListener('dragleave', over);
  addEventListener('drop', onDrop);
}
