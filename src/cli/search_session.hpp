// What `optimum` and `hierarchy` share: a search that keeps what it finds at once, shows how far it is, and can be stopped.
#pragma once
#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"
#include "cli/backend_choice.hpp"
#include "cli/progress_display.hpp"
#include "cli/signals.hpp"
#include "limrisk/error.hpp"
#include "optimum/optimum.hpp"
#include "optimum/problem.hpp"
#include "optimum/search_control.hpp"
#include "store/document_writer.hpp"

namespace limrisk::cli {

/// What both commands let choose.
struct SearchOptions {
    std::string store;  ///< empty: nothing is kept
    double seconds = optimum::SearchControl{}.seconds;
    std::vector<std::string> words;  ///< of the command line, for the advice how to go on
    CLI::Option* seconds_given = nullptr;
};

void add_search_options(CLI::App& command, SearchOptions& options);

/// For searches that train nothing: a line about those of the options that were given and have no effect.
void note_unused(const SearchOptions& options, const BackendChoice& backend);

/// The problems of a campaign that have the loss "squared": others are not searched, and a note says so. Throws Error(Usage) if there are
/// none.
std::vector<optimum::ProblemWidth> searched_problems(const Campaign& campaign);

/// Of the problem as stored, by width; without gaps from 0 on.
std::vector<optimum::Optimum> leading_optima(const std::vector<optimum::Optimum>& optima);

/// While it lives the store is this process's alone, and SIGINT, SIGTERM and SIGHUP ask the search to stop.
class SearchSession {
public:
    /// Takes the lock of the store, which it creates for the campaign if it is not there. Throws StoreError: Busy and others.
    SearchSession(const SearchOptions& options, const Campaign& campaign, std::int64_t problems, bool quiet);

    /// For the search of the next problem, whose time is `bounded` by --seconds or not; `done` hears each width.
    optimum::SearchControl control(bool bounded, std::function<void(const optimum::Optimum&)> done);
    /// The problem is finished.
    void next_problem();
    /// Durable when it returns; nothing without a store.
    void keep(StoredDocument document);
    /// A line of its own above the progress.
    void say(const std::string& line);
    /// Ends the progress line; says what was kept and how to go on; the exit code.
    ExitCode stopped();
    void finish() { display_.finish(); }

private:
    const SearchOptions& options_;
    std::int64_t problems_, problem_ = 0, kept_ = 0;
    bool quiet_;
    double shown_ = 0;  ///< seconds at the last progress
    std::optional<DocumentWriter> writer_;
    StopSignals signals_;
    ProgressDisplay display_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), problem_start_ = start_;
};

StoredDocument document_of(const optimum::Problem& problem, const optimum::Optimum& optimum);

}  // namespace limrisk::cli
