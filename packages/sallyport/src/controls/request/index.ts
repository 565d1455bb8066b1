// The control `request`.

import { type Control, MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

const schema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Request form.')
type Setting = Infer<typeof schema>

export const request = {
  name: 'request',
  id: 'SP-REQUEST-01',
  title: 'Request form',
  since: '0.1.0',
  standards: { asvs: [], api: [], top10: [], nist: [], soc2: [], pci: [] },
  schema,
  defaults: {},
  compile: () => ({}),
  describe: () => ({
    control: 'request',
    id: 'SP-REQUEST-01',
    title: 'Request form',
    entries: [],
    limits: [],
  }),
  probe: () => [],
  compare: () => [],
} as const satisfies Control<Setting>
