/** `kernel_info_request`: who answers, and in which language. */
import { createRequire } from 'node:module'
import { typescriptVersion } from '../language/server.js'
import { packageRoot } from '../package-root.js'
import type { Handler } from './handler.js'
import { protocolVersion } from './message.js'

const manifest = createRequire(import.meta.url)(`${packageRoot}package.json`) as { version: string }

export const kernelInfo: Handler = () => ({
  status: 'ok',
  protocol_version: protocolVersion,
  implementation: 'shardbook',
  implementation_version: manifest.version,
  language_info: {
    name: 'typescript',
    version: typescriptVersion(),
    mimetype: 'text/typescript',
    file_extension: '.ts',
    pygments_lexer: 'typescript',
    codemirror_mode: { name: 'javascript', typescript: true },
    nbconvert_exporter: 'script',
  },
  banner: `Shardbook ${manifest.version}: TypeScript ${typescriptVersion()} on Node ${process.versions.node}`,
  debugger: true,
  help_links: [{ text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' }],
  supported_features: ['debugger', 'kernel subshells'],
})
