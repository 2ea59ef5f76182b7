// What commands have in common that train trials of a store again and keep an answer for each: which are missing, progress, stopping.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/backend_choice.hpp"
#include "files/output_file.hpp"
#include "limrisk/error.hpp"
#include "store/store.hpp"
#include "trajectory/trial_study.hpp"

namespace limrisk::cli {

struct StudyCommand {
    std::string store, csv;
    std::int64_t trials = INT64_MAX;
    std::vector<std::int64_t> cells;  ///< none: all
    BackendChoice backend;
    bool again = false, json = false, force = false;
    std::vector<std::string> words;
};

/// STORE, --trials, --cell, --again, --json, --csv and those of backends.
void add_study_options(CLI::App& app, StudyCommand& command);

/// A cell that is asked about, and how many of its trials, from trial 0.
struct StudiedCell {
    CellConfig cell;
    std::int64_t trials = 0;
};

/// Asks what is not in the store yet, and stores every block when it is done. The cells, or the exit code of a signal that stopped it.
/// Cells of which it cannot be asked are left out, and it is said why.
std::optional<ExitCode> run_study(const StudyCommand& command, const TrialStudy& study, std::vector<StudiedCell>& cells);

/// For --csv: a name that must not be written is found out before the work. Null without it.
std::unique_ptr<OutputFile> open_csv(const StudyCommand& command);

}  // namespace limrisk::cli
