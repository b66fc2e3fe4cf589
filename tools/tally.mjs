/**
 * Counts what the runners report, so that nothing red is lost: a file that cannot be loaded and an error outside of any
 * test count as failures too.
 */
import { relative } from 'node:path'

/**
 * @typedef {{ passed: number, failed: number, skipped: string[] }} Tally
 * @typedef {{ testResults: { name: string, status: string, assertionResults: { status: string, fullName: string }[] }[] }} Report
 */

/**
 * Of vitest's JSON report and exit code.
 *
 * @param {string} json @param {number} code @param {string} root
 * @returns {Tally}
 */
export function tallyVitest(json, code, root) {
  const { testResults } = /** @type {Report} */ (JSON.parse(json))
  const tests = testResults.flatMap((file) => {
    const path = relative(root, file.name)
    const broken = file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')
    const each = file.assertionResults.map(({ status, fullName }) => ({ status, name: `${path} > ${fullName}` }))
    return broken ? [{ status: 'failed', name: path }, ...each] : each
  })
  const failed = tests.filter(({ status }) => status === 'failed').length
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').map(({ name }) => name),
  }
}

/**
 * Of the compiler's messages and exit code: a file of type tests passes when there is none in it.
 *
 * @param {readonly string[]} files @param {string} messages @param {number} code
 * @returns {Tally}
 */
export function tallyTypeTests(files, messages, code) {
  const red = files.filter((file) => messages.split('\n').some((line) => line.startsWith(`${file}(`))).length
  return { passed: files.length - red, failed: code !== 0 && red === 0 ? 1 : red, skipped: [] }
}
