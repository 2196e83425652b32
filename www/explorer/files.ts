/**
 * Single files that people give to the page or take from it. Nothing of them leaves the computer.
 *
 * Not here: folders, and what a file means.
 */

/** Lets the person choose a file; `null` when they choose none. `accept` as for an input. */
export async function chooseFile(accept: string): Promise<File | null> {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = accept;
  return new Promise((resolve) => {
    input.addEventListener('cancel', () => resolve(null));
    input.addEventListener('change', () => resolve(input.files?.[0] ?? null));
    input.click();
  });
}

/** The text of a file, unless it is so large that it cannot be what is wanted. */
export async function textOf(file: File, mostBytes: number): Promise<string> {
  if (file.size > mostBytes) throw new Error(`${file.name} has more than ${mostBytes >> 20} MB, which no such file has.`);
  return file.text();
}

export function saveFile(name: string, content: string | Blob, type = 'application/json'): void {
  const link = document.createElement('a');
  const url = URL.createObjectURL(typeof content === 'string' ? new Blob([content], { type }) : content);
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
