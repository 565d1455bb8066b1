// The control `cors`.

import { type Control, MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

const schema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Cross-origin requests.')
type Setting = Infer<typeof schema>

export const cors = {
  name: 'cors',
  id: 'SP-CORS-01',
  title: 'Cross-origin requests',
  since: '0.1.0',
  standards: { asvs: [], api: [], top10: [], nist: [], soc2: [], pci: [] },
  schema,
  defaults: {},
  compile: () => ({}),
  describe: () => ({
    control: 'cors',
    id: 'SP-CORS-01',
    title: 'Cross-origin requests',
    entries: [],
    limits: [],
  }),
  probe: () => [],
  compare: () => [],
} as const satisfies Control<Setting>
