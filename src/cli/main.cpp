// The program: parses the command line, runs the subcommand, turns errors into messages and exit codes (README, "Exit codes").
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <new>

#include "backend/cuda/cuda_build.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "expression/nearest_name.hpp"

namespace limrisk::cli {
namespace {

constexpr const char* description =
    "limrisk trains very many shallow networks at once and measures how often, and how, stochastic gradient methods miss the global "
    "minimum.";

int complain(ExitCode code, const std::string& message) {
    note("limrisk: error: " + message + "\n");
    return static_cast<int>(code);
}

/// Parses; help and version are printed here. True if a subcommand is to be run.
bool parse(CLI::App& app, int argc, char** argv) {
    try {
        app.parse(argc, argv);
        return true;
    } catch (const CLI::CallForHelp&) {
        const std::vector<CLI::App*> chosen = app.get_subcommands();
        print(chosen.empty() ? app.help() : chosen.front()->help(app.get_name()));
    } catch (const CLI::CallForVersion&) {
        print(fmt::format("limrisk {} (backends: cpu{})\n", LIMRISK_VERSION, cuda::cuda_build().present ? ", cuda" : ""));
    } catch (const CLI::ParseError& error) {
        const std::vector<CLI::App*> chosen = app.get_subcommands();
        throw Error(ExitCode::Usage,
                    fmt::format("{}\nTry: limrisk {}--help", error.what(), chosen.empty() ? "" : chosen.front()->get_name() + " "));
    }
    return false;
}

/// CLI11 alone says of a misspelt subcommand only that one is missing.
void refuse_unknown_subcommand(const CLI::App& app, const std::vector<std::string>& words) {
    if (words.size() < 2 || words[1].empty() || words[1][0] == '-') return;
    std::vector<std::string> known;
    for (const CLI::App* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
    if (std::find(known.begin(), known.end(), words[1]) != known.end()) return;
    const std::string nearest = nearest_name(words[1], known);
    throw Error(ExitCode::Usage, fmt::format("there is no subcommand '{}'{}; known are {}", words[1],
                                             nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest), fmt::join(known, ", ")));
}

ExitCode run_program(int argc, char** argv) {
    ignore_broken_pipes();
    CLI::App app(description, "limrisk");
    app.set_version_flag("--version", LIMRISK_VERSION);
    app.require_subcommand(1);
    app.footer(
        "'limrisk COMMAND --help' explains a command and shows examples.\n"
        "Exit codes: 0 done, 64 wrong use, 65 wrong campaign or store, 69 device not available, 70 a defect of limrisk,\n"
        "74 input/output or disk full, 75 store in use, 130 and 143 stopped by a signal.");
    const std::vector<std::string> words(argv, argv + argc);
    Action action;
    add_run(app, action, words);
    add_summary(app, action);
    add_report(app, action);
    add_export(app, action);
    add_replay(app, action);
    add_trajectories(app, action, words);
    add_verify(app, action);
    add_optimum(app, action);
    add_hierarchy(app, action);
    add_list(app, action);
    add_bench(app, action);
    add_selftest(app, action);
    add_doctor(app, action);
    refuse_unknown_subcommand(app, words);
    return parse(app, argc, argv) ? action() : ExitCode::Done;
}

}  // namespace
}  // namespace limrisk::cli

int main(int argc, char** argv) {
    using namespace limrisk;
    try {
        return static_cast<int>(cli::run_program(argc, argv));
    } catch (const cli::PipeClosed&) {
        return static_cast<int>(ExitCode::Done);
    } catch (const Error& error) {
        return cli::complain(error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return cli::complain(ExitCode::InputOutput, "out of memory; a smaller campaign or fewer --threads need less");
    } catch (const std::filesystem::filesystem_error& error) {
        return cli::complain(ExitCode::InputOutput, error.what());
    } catch (const std::exception& error) {
        return cli::complain(ExitCode::Defect,
                             std::string(error.what()) + "\nThis is a defect of limrisk; please report it with the command line.");
    }
}
