import type { NextConfig } from 'next'
import { withSallyport } from 'sallyport/next'

const nextConfig: NextConfig = {}

// The one change: before, this line was `export default nextConfig`.
export default withSallyport(nextConfig, { extends: 'payments', name: 'Calmony Pay' })
