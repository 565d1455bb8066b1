// The presets: plain data, each a policy that others are laid over.

import type { PolicyDocument } from '../guard/policy.ts'
import { api } from './api.ts'
import { commerce } from './commerce.ts'
import type { PresetName } from './names.ts'
import { payments } from './payments.ts'
import { recommended } from './recommended.ts'

export const presets: Readonly<Record<PresetName, PolicyDocument>> = { api, payments, commerce, recommended }
