// What commands have in common that train trials of a store again and keep an answer for each: which are missing, progress, stopping.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/output.hpp"
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

/// A command with STORE, --trials, --cell, --again, --json, --csv and the options of backends.
void add_study(CLI::App& app, Action& action, const std::vector<std::string>& words, const std::string& name, const std::string& meaning,
               std::initializer_list<const char*> examples, ExitCode (*run)(const StudyCommand&));

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

/// Writes the rows of --csv, if it was given, and prints the JSON or the table, unless the rows go to standard output.
///   rows, json, table  (): the text
template <class Rows, class Json, class Table>
void show_answers(const StudyCommand& command, OutputFile* csv, Rows rows, Json json, Table table) {
    if (csv != nullptr) {
        csv->write(rows());
        csv->commit();
    }
    if (csv == nullptr || !csv->is_stdout()) print(command.json ? json() : table());
}

}  // namespace limrisk::cli
