// For tests: a real directory, OpenLDAP's slapd as the distribution packages it.
export { type DirectoryContent, type PreparedDirectory, prepareDirectory } from './prepare-directory.ts';
export { startTestDirectory, type TestDirectory } from './start-test-directory.ts';
