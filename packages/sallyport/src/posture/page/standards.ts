// Which requirements the controls support. A requirement is never said to be met: that depends on more than an API.

import type { Control } from '../../guard/control.ts'
import { controls } from '../register.ts'

/** One framework, one control, its requirements. */
export interface StandardsRow {
  readonly framework: string
  readonly control: string
  /** The control's register id. */
  readonly id: string
  readonly requirements: readonly string[]
}

const FRAMEWORKS = [
  ['asvs', 'OWASP ASVS 5.0.0'],
  ['api', 'OWASP API Security Top 10 2023'],
  ['top10', 'OWASP Top 10 2025'],
  ['nist', 'NIST SP 800-53 r5'],
  ['soc2', 'SOC 2'],
  ['pci', 'PCI DSS 4.0.1'],
] as const satisfies readonly (readonly [keyof Control['standards'], string])[]

/** Every requirement that one of these controls supports. */
export function standardsRows(names: ReadonlySet<string>): readonly StandardsRow[] {
  return FRAMEWORKS.flatMap(([key, framework]) =>
    controls
      .filter(({ name, standards }) => names.has(name) && standards[key].length > 0)
      .map(({ title, id, standards }) => ({ framework, control: title, id, requirements: standards[key] })),
  )
}
