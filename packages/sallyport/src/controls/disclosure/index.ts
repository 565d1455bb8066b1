// The control `disclosure`.

import { type Control, MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

const schema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Vulnerability disclosure.')
type Setting = Infer<typeof schema>

export const disclosure = {
  name: 'disclosure',
  id: 'SP-DISCLOSURE-01',
  title: 'Vulnerability disclosure',
  since: '0.1.0',
  standards: { asvs: [], api: [], top10: [], nist: [], soc2: [], pci: [] },
  schema,
  defaults: {},
  compile: () => ({}),
  describe: () => ({
    control: 'disclosure',
    id: 'SP-DISCLOSURE-01',
    title: 'Vulnerability disclosure',
    entries: [],
    limits: [],
  }),
  probe: () => [],
  compare: () => [],
} as const satisfies Control<Setting>
