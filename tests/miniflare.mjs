/**
 * Miniflare, whose synchronous calls (an object's properties, `arrayBuffer()`) hold on a busy machine.
 *
 * Its helper thread puts a number down and rings; between the two the next call may begin to wait, and is woken by a ring that is not its own,
 * before there is an answer. So whoever waits looks at the number again, as the language's specification advises.
 */
export * from 'miniflare';

const { wait } = Atomics;

Atomics.wait = (array, index, value, ...timeout) => {
  for (;;) {
    const woken = wait(array, index, value, ...timeout);
    if (woken !== 'ok' || Atomics.load(array, index) !== value) return woken;
  }
};
