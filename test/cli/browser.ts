/** A real browser for the tests: Chromium, headless. */
import { type Browser, chromium as launcher } from 'playwright-core'
import { chromium } from '../needs.js'

export function launchBrowser(): Promise<Browser> {
  return launcher.launch({
    executablePath: chromium(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
