/** As much as is used of the module that only Cloudflare's runtime has. */
declare module 'cloudflare:workers' {
  export interface DurableObjectState {
    readonly storage: {
      readonly sql: {
        exec(query: string, ...values: readonly (string | number | null | Uint8Array)[]): { toArray(): Record<string, unknown>[] };
      };
      transactionSync<T>(body: () => T): T;
      setAlarm(at: number): Promise<void>;
      sync(): Promise<void>;
    };
    blockConcurrencyWhile<T>(body: () => Promise<T>): Promise<T>;
    waitUntil(promise: Promise<unknown>): void;
  }

  export class DurableObject<E> {
    protected readonly ctx: DurableObjectState;
    protected readonly env: E;
    constructor(ctx: DurableObjectState, env: E);
  }
}
