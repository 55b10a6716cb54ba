import type { HardhatPlugin } from "hardhat/types/plugins";

/**
 * Hides the compiler's warnings about packages in node_modules, which nobody here can mend, so that a build shows the
 * warnings about our own code and nothing else. Errors pass, wherever they are.
 */
export const quietDependencies: HardhatPlugin = {
  id: "ballast-quiet-dependencies",
  hookHandlers: {
    solidity: async () => ({
      default: async () => ({
        invokeSolc: async (context, compiler, input, config, next) => {
          const output = await next(context, compiler, input, config);
          const errors = output.errors?.filter(
            ({ severity, formattedMessage }) =>
              severity === "error" || !formattedMessage?.includes("--> npm/"),
          );
          return errors === undefined ? output : { ...output, errors };
        },
      }),
    }),
  },
};
