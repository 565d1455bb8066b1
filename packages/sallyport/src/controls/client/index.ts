// The control `client`.

import { type Control, MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

const schema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Client address and request identity.')
type Setting = Infer<typeof schema>

export const client = {
  name: 'client',
  id: 'SP-CLIENT-01',
  title: 'Client address and request identity',
  since: '0.1.0',
  standards: { asvs: [], api: [], top10: [], nist: [], soc2: [], pci: [] },
  schema,
  defaults: {},
  compile: () => ({}),
  describe: () => ({
    control: 'client',
    id: 'SP-CLIENT-01',
    title: 'Client address and request identity',
    entries: [],
    limits: [],
  }),
  probe: () => [],
  compare: () => [],
} as const satisfies Control<Setting>
