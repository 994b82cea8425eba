/** Which machines a job's labels may lead to. A label is all that is known of one: the app can't list runners. */

/**
 * Labels of machines that GitHub itself lends, and throws away after one job. Nothing else will do: a label of one's own may
 * begin like them. https://docs.github.com/en/actions/reference/runners/github-hosted-runners
 */
const hosted =
  /^(?:ubuntu-(?:latest|slim|\d\d\.\d\d(?:-arm)?)|windows-(?:latest|\d{4}|11-arm)|macos-(?:latest|\d\d)(?:-(?:intel|large|xlarge))?)$/i;
/** What every runner of one's own has by itself, and the label of those that train. */
const common = /^(?:self-hosted|linux|windows|macos|x64|arm|arm64|gpu)$/i;

/** Whether a job with these labels runs on a machine of GitHub's, whatever else there is. */
export function isHosted(labels: readonly string[]): boolean {
  return labels.length > 0 && labels.every((label) => hosted.test(label));
}

/** Whether a machine that trains may take a job with these labels: nothing in them says another. */
export function mayTrain(labels: readonly string[]): boolean {
  return labels.every((label) => common.test(label));
}
