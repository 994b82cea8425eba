/** Which researcher a configuration names. */
import type { Config } from "../domain/config.ts";
import type { Researcher } from "../domain/proposal.ts";
import { mutate } from "./mutate.ts";

export function researcherFor(config: Config): Researcher {
  switch (config.researcher.kind) {
    case "mutate":
      return mutate;
  }
}
