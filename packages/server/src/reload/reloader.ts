// Brings a new policy in, or says why not. One at a time: who asks while one is on its way gets one more after it, with
// everybody else who asks meanwhile.

import { PolicyError, sentence } from 'sallyport/settings'

/** Where a gateway's documents come from, again and again. */
export interface Source<Documents> {
  /** As the operator knows it: `sallyport.config.ts`. */
  readonly name: string
  /** The files to watch. */
  readonly files: readonly string[]
  /** Reads them as they are now. */
  load(): Promise<Documents>
}

/** What a reload came to. */
export type ReloadOutcome =
  | {
      readonly ok: true
      readonly policyDigest: string
      /** False where the policy was the one that runs already. */
      readonly changed: boolean
      /** What was in the documents, but takes a restart. */
      readonly notes: readonly string[]
    }
  | {
      readonly ok: false
      /** One sentence for each mistake, as `sallyport check` writes them. */
      readonly problems: readonly string[]
    }

/** The state of reloads, for `/readyz` and `/metrics`. */
export interface ReloadState {
  readonly succeeded: number
  readonly failed: number
  /** Milliseconds since the epoch; `undefined` before the first. */
  readonly lastSuccessAt: number | undefined
  /** Why the last one failed; `undefined` where it did not. */
  readonly problems: readonly string[] | undefined
}

/** Reloads on demand. */
export interface Reloader {
  reload(): Promise<ReloadOutcome>
  readonly state: ReloadState
}

/** Thrown by `apply` where what was read can't take over; each problem is a sentence. */
export class ReloadRefused extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ReloadRefused'
    this.problems = problems
  }
}

/** @param apply compiles, checks and swaps; throws and changes nothing where anything is wrong */
export function createReloader<Documents>(
  source: Source<Documents>,
  apply: (documents: Documents) => Promise<Omit<Extract<ReloadOutcome, { ok: true }>, 'ok'>>,
  clock: () => number,
): Reloader {
  const state: { -readonly [K in keyof ReloadState]: ReloadState[K] } = {
    succeeded: 0,
    failed: 0,
    lastSuccessAt: undefined,
    problems: undefined,
  }
  let running: Promise<ReloadOutcome> | undefined
  let next: Promise<ReloadOutcome> | undefined

  async function once(): Promise<ReloadOutcome> {
    try {
      const applied = await apply(await source.load())
      state.succeeded++
      state.lastSuccessAt = clock()
      state.problems = undefined
      return { ok: true, ...applied }
    } catch (error) {
      const problems = problemLines(error, source.name)
      state.failed++
      state.problems = problems
      return { ok: false, problems }
    }
  }

  function start(): Promise<ReloadOutcome> {
    running = once().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    state,
    reload() {
      if (running === undefined) return start()
      // What is read now may be older than the change that this call is about.
      next ??= running.then(() => {
        next = undefined
        return start()
      })
      return next
    },
  }
}

/** The mistakes in the words of `sallyport check`. */
function problemLines(error: unknown, name: string): readonly string[] {
  if (error instanceof PolicyError) return error.problems.map((problem) => `${name}: ${sentence(problem)}`)
  if (error instanceof ReloadRefused) return error.problems
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')
}
