/**
 * Who we are to an S3-compatible store, and where it is: the environment first, then the shared files of the AWS tools.
 * Reference: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface S3Settings {
  readonly region: string
  /** An address of one's own server; Amazon's by default. */
  readonly endpoint: string | undefined
  /** Without them requests are not signed, which public buckets accept. */
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined
}

export async function s3Settings(): Promise<S3Settings> {
  const env = (name: string): string | undefined => process.env[name] || undefined
  const profile = env('AWS_PROFILE') ?? 'default'
  const [config, shared] = await Promise.all([
    readIni(env('AWS_CONFIG_FILE') ?? join(homedir(), '.aws/config')),
    readIni(env('AWS_SHARED_CREDENTIALS_FILE') ?? join(homedir(), '.aws/credentials')),
  ])
  const own = { ...config[profile === 'default' ? 'default' : `profile ${profile}`], ...shared[profile] }
  const inEnv = env('AWS_ACCESS_KEY_ID') !== undefined
  const accessKeyId = inEnv ? env('AWS_ACCESS_KEY_ID') : own['aws_access_key_id']
  const secretAccessKey = inEnv ? env('AWS_SECRET_ACCESS_KEY') : own['aws_secret_access_key']
  const sessionToken = inEnv ? env('AWS_SESSION_TOKEN') : own['aws_session_token']
  return {
    region: env('AWS_REGION') ?? env('AWS_DEFAULT_REGION') ?? own['region'] ?? 'us-east-1',
    endpoint: env('AWS_ENDPOINT_URL_S3') ?? env('AWS_ENDPOINT_URL') ?? own['endpoint_url'],
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
  }
}

/** Sections of `key = value` lines; nothing for a file that is not there. */
async function readIni(path: string): Promise<Record<string, Record<string, string>>> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const sections: Record<string, Record<string, string>> = {}
  let section: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line)
    if (header !== null) section = sections[header[1]!.trim()] ??= {}
    else {
      const [, key, value] = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
      if (key !== undefined && value !== undefined) section[key] = value
    }
  }
  return sections
}
