// The register of controls with all their faces, in the order of the posture page. The guard has its own list, of the
// rules alone; a test holds the two together.

import { access } from '../controls/access/index.ts'
import { audit } from '../controls/audit/index.ts'
import { backup } from '../controls/backup/index.ts'
import { cache } from '../controls/cache/index.ts'
import { client } from '../controls/client/index.ts'
import { cors } from '../controls/cors/index.ts'
import { disclosure } from '../controls/disclosure/index.ts'
import { errors } from '../controls/errors/index.ts'
import { headers } from '../controls/headers/index.ts'
import { keys } from '../controls/keys/index.ts'
import { limits } from '../controls/limits/index.ts'
import { lockout } from '../controls/lockout/index.ts'
import { request } from '../controls/request/index.ts'
import { tenancy } from '../controls/tenancy/index.ts'
import { transport } from '../controls/transport/index.ts'
import type { Control } from '../guard/control.ts'

const register = [
  transport,
  headers,
  cache,
  cors,
  client,
  request,
  limits,
  keys,
  access,
  lockout,
  tenancy,
  audit,
  backup,
  errors,
  disclosure,
] as const

/** Every control, the types of their settings forgotten: for loops. */
export const controls: readonly Control[] = register as readonly unknown[] as readonly Control[]
