// The declarations of the objects, loaded once for the whole program.
import { loadManagerSchema } from '@rfo/schema';

export const { managerApiVersion, managerKinds, objectParser, renderCrds } = await loadManagerSchema();
