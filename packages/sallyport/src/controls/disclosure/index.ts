// The control `disclosure`.

import type { Control } from '../../guard/control.ts'
import { compareDisclosure } from './compare.ts'
import { describeDisclosure, probeDisclosure } from './faces.ts'
import { disclosureRule } from './rule.ts'
import type { DisclosureSetting } from './setting.ts'

export { disclosureWarnings } from './expiry.ts'

export const disclosure = {
  ...disclosureRule,
  title: 'Vulnerability disclosure',
  since: '0.1.0',
  standards: { asvs: [], api: [], top10: [], nist: ['RA-5(11)'], soc2: ['CC2.3'], pci: ['6.3.1'] },
  describe: describeDisclosure,
  probe: (cells) => probeDisclosure(cells),
  compare: compareDisclosure,
} as const satisfies Control<DisclosureSetting>
