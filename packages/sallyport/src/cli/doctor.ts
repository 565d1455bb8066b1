// `sallyport doctor`: whether a store can be trusted as it is set up.

import type { Invocation, Terminal } from './command.ts'
import { columns } from './help.ts'
import { loadStore, placeOf } from './store-package.ts'

/** Runs the command: 0 where nothing is wrong, else 1. */
export async function doctor(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { diagnose } = await loadStore()
  const findings = await diagnose(placeOf(invocation, terminal))
  const healthy = findings.every(({ ok }) => ok)
  if (invocation.flag('json')) terminal.out(JSON.stringify({ ok: healthy, findings }, null, 2))
  else
    for (const line of columns(findings.map(({ check, ok, says }) => [ok ? 'ok' : 'WRONG', check, says])))
      terminal.out(line)
  return healthy ? 0 : 1
}
