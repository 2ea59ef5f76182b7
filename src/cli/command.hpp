// What a subcommand is: it adds itself with its options to the command line, and the one that was typed gets run.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk::cli {

/// The work of the subcommand that was typed; set while the command line is parsed, called after. Throws Error.
using Action = std::function<ExitCode()>;

/// `words`: the command line as typed, argv[0] first, for the advice how to go on.
void add_run(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_merge(CLI::App& app, Action& action);
void add_slurm(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_summary(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_replay(CLI::App& app, Action& action);
void add_trajectories(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_verify(CLI::App& app, Action& action);
void add_optimum(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_hierarchy(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_limits(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_valleys(CLI::App& app, Action& action, const std::vector<std::string>& words);
void add_doctor(CLI::App& app, Action& action);
void add_selftest(CLI::App& app, Action& action);
void add_list(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);

}  // namespace limrisk::cli
