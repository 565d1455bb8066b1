// The control `tenancy`.

import type { Control } from '../../guard/control.ts'
import { compareTenancy, describeTenancy } from './faces.ts'
import { tenancyRule } from './rule.ts'
import type { TenancySetting } from './setting.ts'

export const tenancy = {
  ...tenancyRule,
  title: 'Isolation of tenants',
  since: '0.2.0',
  standards: {
    asvs: ['8.2.2', '8.4.1'],
    api: ['API1'],
    top10: ['A01'],
    nist: ['AC-3', 'AC-4'],
    soc2: ['CC6.1'],
    pci: ['A1.1.2'],
  },
  describe: describeTenancy,
  probe: {
    because:
      'seen only by callers of two organisations: give verify a credential of each and an object of one (--credential, --owned); what it does not name stays unseen, and sallyport tenancy check asks the database itself',
  },
  compare: compareTenancy,
} as const satisfies Control<TenancySetting>
