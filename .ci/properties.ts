// Preloaded into test runs: properties that name no number of runs take this one, and all take one seed.

import { configureGlobal } from 'fast-check'
import { runs } from '../packages/sallyport/test/runs.ts'

configureGlobal(runs(100))
