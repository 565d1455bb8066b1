// The register of controls, and THE order in which they act. A new control is one new folder and one line here.

import { cache } from '../controls/cache/index.ts'
import { client } from '../controls/client/index.ts'
import { cors } from '../controls/cors/index.ts'
import { disclosure } from '../controls/disclosure/index.ts'
import { errors } from '../controls/errors/index.ts'
import { headers } from '../controls/headers/index.ts'
import { request } from '../controls/request/index.ts'
import { transport } from '../controls/transport/index.ts'

/** Every control, in the order of the posture page. */
export const register = [transport, headers, cache, cors, client, request, errors, disclosure] as const

/** The way in: who judges first. */
export const admitOrder = ['client', 'request', 'transport', 'cors', 'disclosure', 'errors'] as const

/** The way out, for every answer, denials and crashes included. */
export const emitOrder = ['errors', 'cache', 'headers', 'transport', 'cors', 'client'] as const
