// The app as a Worker.

import { app } from './app.ts'

export default { fetch: app }
