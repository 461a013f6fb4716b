import { textWithout, withoutSecrets } from "../../core/model/secrets/deep.ts";
import type { ChatModel } from "./model.ts";

/** The same model, in whose replies no secret stands: what it says goes into incidents, and its calls into the record (S10). */
export function modelWithoutSecrets(model: ChatModel): ChatModel {
  return {
    name: model.name,
    reply: async (request, abort) => {
      const { text, calls, ...reply } = await model.reply(request, abort);
      return { ...reply, text: textWithout(text), calls: withoutSecrets(calls, true) };
    },
  };
}
