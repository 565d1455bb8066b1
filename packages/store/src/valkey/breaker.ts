// The circuit breaker before Valkey: five failures in a row open it; while it is open nobody waits for the store, and
// once in 250 ms a probe, which no request waits for, looks whether it is back.

const failuresToOpen = 5
const probeEveryMs = 250

export interface Breaker {
  /** Whether requests may go to the store. Starts a probe where one is due. */
  closed(): boolean
  /** How many questions in a row have failed. */
  failures(): number
  succeeded(): void
  failed(): void
}

/**
 * @param clock milliseconds that never step back.
 * @param probe rejects while the store cannot be written to.
 * @param onChange hears when it opens, and when it closes again.
 */
export function breaker(
  clock: () => number,
  probe: () => Promise<unknown>,
  onChange?: (isOpen: boolean) => void,
): Breaker {
  let failures = 0
  let probing = false
  let nextProbeMs = 0

  async function look(): Promise<void> {
    probing = true
    try {
      await probe()
    } catch {
      nextProbeMs = clock() + probeEveryMs
      return
    } finally {
      probing = false
    }
    failures = 0
    onChange?.(false)
  }

  return {
    closed() {
      if (failures < failuresToOpen) return true
      if (!probing && clock() >= nextProbeMs) void look()
      return false
    },
    failures: () => failures,
    succeeded() {
      // A late answer of the time before does not close it: the probe does, which is also known to write.
      if (failures < failuresToOpen) failures = 0
    },
    failed() {
      failures++
      if (failures !== failuresToOpen) return
      nextProbeMs = clock() + probeEveryMs
      onChange?.(true)
    },
  }
}
