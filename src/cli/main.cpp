// The program: parses the command line, runs the subcommand, turns errors into messages and exit codes (README, "Exit codes").
#include <fmt/format.h>

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

#include "backend/cuda/cuda_build.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/signals.hpp"
#include "cli/unknown_words.hpp"

namespace limrisk::cli {
namespace {

constexpr const char* description =
    "limrisk trains many shallow networks in parallel and measures how often stochastic gradient methods fail to reach the global "
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

ExitCode run_program(int argc, char** argv) {
    CLI::App app(description, "limrisk");
    app.set_version_flag("--version", LIMRISK_VERSION);
    app.require_subcommand(1);
    app.footer(
        "'limrisk COMMAND --help' explains a command and shows examples.\n"
        "Exit codes: 0 done, 64 wrong command line, 65 invalid campaign or store, 69 device not available, 70 a defect of limrisk,\n"
        "74 input/output error, disk full or out of memory, 75 store in use or time is up (try again later),\n"
        "129, 130 and 143 stopped by a signal.");
    const std::vector<std::string> words(argv, argv + argc);
    Action action;
    add_run(app, action, words);
    add_merge(app, action);
    add_slurm(app, action, words);
    add_summary(app, action);
    add_report(app, action);
    add_export(app, action);
    add_replay(app, action);
    add_trajectories(app, action, words);
    add_verify(app, action);
    add_optimum(app, action, words);
    add_hierarchy(app, action, words);
    add_limits(app, action, words);
    add_valleys(app, action, words);
    add_list(app, action);
    add_bench(app, action);
    add_selftest(app, action);
    add_doctor(app, action);
    refuse_unknown_words(app, words);
    return parse(app, argc, argv) ? action() : ExitCode::Done;
}

/// Needs no memory.
int out_of_memory() {
    note("limrisk: error: out of memory; a smaller campaign or fewer --threads need less\n");
    return static_cast<int>(ExitCode::InputOutput);
}

int run_and_complain(int argc, char** argv) {
    try {
        return static_cast<int>(run_program(argc, argv));
    } catch (const PipeClosed&) {
        return static_cast<int>(ExitCode::Done);
    } catch (const Error& error) {
        return complain(error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    } catch (const std::length_error&) {  // what memory was asked for is more than there can be
        return out_of_memory();
    } catch (const std::system_error& error) {  // files, and threads that cannot be started
        return complain(ExitCode::InputOutput, error.what());
    } catch (const std::exception& error) {
        return complain(ExitCode::Defect,
                        std::string(error.what()) + "\nThis is a defect of limrisk; please report it with the command line.");
    }
}

}  // namespace
}  // namespace limrisk::cli

int main(int argc, char** argv) {
    limrisk::cli::prepare_process();
    try {
        return limrisk::cli::run_and_complain(argc, argv);
    } catch (...) {  // of the handlers only: no memory for the message
        return limrisk::cli::out_of_memory();
    }
}
