"""Parts of the baseline benchmark; the programs beside this folder put them together."""
