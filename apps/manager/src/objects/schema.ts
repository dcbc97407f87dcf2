// The declarations of the objects, loaded once for the whole program.
import { loadManagerSchema } from '@rfo/schema';

export const managerSchema = await loadManagerSchema();
export const { managerApiVersion, managerKinds, objectParser, renderCrds } = managerSchema;
