/**
 * Routes whose requests notify people: GitHub's description marks them `x-github.triggersNotification`. They are what the
 * limit on content creation counts. test/local/ compares the list with the description.
 */
export const contentRoutes: ReadonlySet<string> = new Set([
  "POST /orgs/{org}/invitations",
  "DELETE /orgs/{org}/invitations/{invitation_id}",
  "PUT /repos/{owner}/{repo}/collaborators/{username}",
  "POST /repos/{owner}/{repo}/commits/{commit_sha}/comments",
  "POST /repos/{owner}/{repo}/issues",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by",
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/dependencies/blocked_by/{issue_id}",
  "POST /repos/{owner}/{repo}/issues/{issue_number}/issue-field-values",
  "PUT /repos/{owner}/{repo}/issues/{issue_number}/issue-field-values",
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/issue-field-values/{issue_field_id}",
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/sub_issue",
  "PATCH /repos/{owner}/{repo}/issues/{issue_number}/sub_issues/priority",
  "POST /repos/{owner}/{repo}/pulls",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
  "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge-async",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
  "POST /repos/{owner}/{repo}/releases",
]);
