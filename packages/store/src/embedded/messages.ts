// What the process and the worker of the embedded database say to each other.

/** Given to the worker at its start. */
export interface WorkerStart {
  readonly directory: string
  /** Whether there is no database yet: one is made first. */
  readonly create: boolean
  readonly checkpointMs: number
  readonly checkpointBytes: number
  /** Two 32-bit numbers: which turn the worker is at (0: none), and how many milliseconds it may take (0: the usual). */
  readonly progress: SharedArrayBuffer
}

/** From the process to the worker. */
export type ToWorker =
  | { readonly kind: 'open'; readonly connection: number; readonly role: string | undefined }
  | {
      readonly kind: 'bytes'
      readonly connection: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'close' }

/** From the worker to the process. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'bytes'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'closed' }
  /** The database ended by itself or did not start; the last lines it said. */
  | { readonly kind: 'failed'; readonly lines: readonly string[] }
