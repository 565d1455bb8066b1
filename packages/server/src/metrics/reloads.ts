// Reloads as numbers.

import type { ReloadState } from '../reload/reloader.ts'
import { type Family, labelText, single } from './families.ts'

export function reloadFamilies(state: ReloadState | undefined): readonly Family[] {
  const results = { success: state?.succeeded ?? 0, failure: state?.failed ?? 0 }
  return [
    {
      name: 'sallyport_reloads_total',
      help: 'Reloads of the policy.',
      type: 'counter',
      samples: Object.entries(results).map(([result, value]) => ({
        suffix: '',
        labels: labelText(['result'], [result]),
        value,
      })),
    },
    single(
      'gauge',
      'sallyport_reload_failing',
      '1 where the last reload failed and an older policy goes on.',
      Number(state?.problems !== undefined),
      'max',
    ),
  ]
}
