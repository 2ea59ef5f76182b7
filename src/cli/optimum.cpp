// limrisk optimum: the best known infimum of the risk for every problem and width of a campaign, kept in its store.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>

#include "analysis/summary.hpp"
#include "cli/backend_choice.hpp"
#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/search_session.hpp"
#include "cli/summary_output.hpp"
#include "driver/problem_check.hpp"
#include "optimum/optimum_json.hpp"
#include "report/text_table.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

namespace opt = limrisk::optimum;

struct OptimumCommand {
    CampaignOptions campaign;
    BackendChoice backend;
    SearchOptions search;
    std::int64_t largest = -1;
    bool again = false, replace = false, json = false;
};

/// The optima of one problem, and where they come from.
struct ProblemOptima {
    opt::Problem problem;
    std::int64_t largest = 0;  ///< width wanted
    std::vector<opt::Optimum> optima;
    std::map<std::int64_t, std::string> stored;  ///< by width: when it was written; those not in it are new
};

constexpr double noteworthy = 1e-9;  ///< relative difference of risks that is more than rounding

bool better(double a, double b) { return a < b * (1 - noteworthy); }

void read_stored(const OptimumCommand& command, std::vector<ProblemOptima>& problems) {
    for (ProblemOptima& one : problems) one.optima.clear(), one.stored.clear();
    if (command.search.store.empty() || !std::filesystem::exists(command.search.store)) return;
    for (const StoredDocument& row : Store::open(command.search.store).documents(document_kind::optimum))
        for (ProblemOptima& one : problems)
            if (one.problem.id == row.id) {
                one.optima.push_back(opt::optimum_from_json(row.text));
                one.stored[row.number] = row.created;
            }
}

/// Puts a newly found optimum beside the stored ones. A stored one stays unless --replace says otherwise; every difference is reported.
/// True if it is to be stored.
bool merge(const OptimumCommand& command, ProblemOptima& known, const opt::Optimum& candidate, std::string& warnings) {
    const auto old = std::find_if(known.optima.begin(), known.optima.end(),
                                  [&](const opt::Optimum& optimum) { return optimum.width == candidate.width; });
    if (old == known.optima.end()) {
        known.optima.push_back(candidate);
        std::sort(known.optima.begin(), known.optima.end(), [](const auto& a, const auto& b) { return a.width < b.width; });
        return true;
    }
    if (better(candidate.risk, old->risk)) {
        warnings +=
            fmt::format("WARNING: {}, width {}: this search found {:.15g}, below the stored optimum {:.15g} of {}. {}\n",
                        known.problem.label, candidate.width, candidate.risk, old->risk, known.stored[candidate.width],
                        command.replace ? "The stored one was replaced; statistics that used it change."
                                        : "The stored one is kept; --again --replace replaces it, and statistics then use the new one.");
        if (!command.replace) return false;
        *old = candidate;
        known.stored.erase(candidate.width);
        return true;
    }
    if (better(old->risk, candidate.risk))
        warnings += fmt::format("note: {}, width {}: this search reached only {:.15g}; the stored {:.15g} is kept\n", known.problem.label,
                                candidate.width, candidate.risk, old->risk);
    if (!candidate.lower_bound || (old->lower_bound && !better(*old->lower_bound, *candidate.lower_bound))) return false;
    old->lower_bound = std::min(old->risk, *candidate.lower_bound);
    return true;
}

std::string scientific(double value) { return fmt::format("{:.2g}", value); }

/// "widths 1, 2".
std::string widths_text(const std::vector<std::int64_t>& widths) {
    return fmt::format("{} {}", widths.size() == 1 ? "width" : "widths", fmt::join(widths, ", "));
}

/// Of data points: which risks are global minima, and which networks interpolate.
std::string what_is_known_of_data(const ProblemOptima& known) {
    if (!known.problem.has_data()) return "";
    std::vector<std::int64_t> interpolating, global;
    for (const opt::Optimum& optimum : known.optima) {
        if (optimum.is_zero())
            interpolating.push_back(optimum.width);
        else if (optimum.is_global())
            global.push_back(optimum.width);
    }
    std::string text;
    if (!global.empty()) text += widths_text(global) + ": global minimum, up to rounding: the lower bound is the risk\n";
    if (!interpolating.empty()) text += widths_text(interpolating) + ": risk 0 up to rounding: networks interpolate the points\n";
    return text;
}

std::string as_text(const ProblemOptima& known) {
    std::vector<TextColumn> columns{{"", "width"},          {"", "risk"},           {"", "kinks", 0, true}, {"", "next level", 3},
                                    {"", "lower bound", 2}, {"", "reached", 1},     {"", "spread", 7},      {"", "gradient", 4},
                                    {"", "LS gap", 6},      {"", "stored", 5, true}};
    for (const opt::Optimum& optimum : known.optima) {
        const auto stored = known.stored.find(optimum.width);
        const std::string kinks = optimum.shape.size() <= 12 ? optimum.shape : optimum.shape.substr(0, 9) + "...";
        const std::string cells[] = {std::to_string(optimum.width),
                                     fmt::format("{:.12g}{}", optimum.risk, optimum.attained ? "" : " *"),
                                     optimum.method == "training" ? fmt::format("({})", optimum.ended) : kinks,
                                     optimum.next ? fmt::format("{:.6g}", *optimum.next) : "-",
                                     optimum.lower_bound ? fmt::format("{:.6g}", *optimum.lower_bound) : "-",
                                     fmt::format("{}/{}", optimum.reached, optimum.starts),
                                     scientific(optimum.spread),
                                     optimum.attained ? scientific(optimum.gradient_norm) : "-",
                                     optimum.attained ? scientific(optimum.least_squares_gap) : "-",
                                     stored == known.stored.end() ? "new" : stored->second.substr(0, 10)};
        add_row(columns, cells);
    }
    std::string text = known.problem.label + "\n" + TextTable(std::move(columns), 100).text();
    if (std::any_of(known.optima.begin(), known.optima.end(), [](const auto& optimum) { return !optimum.attained; }))
        text += "* infimum not attained by any network (jump of the target; kinks converge to each other)\n";
    return text + what_is_known_of_data(known);
}

std::string as_json(const std::vector<ProblemOptima>& problems) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const ProblemOptima& known : problems) {
        nlohmann::ordered_json optima = nlohmann::ordered_json::array();
        for (const opt::Optimum& optimum : known.optima) {
            nlohmann::ordered_json row = opt::to_json(optimum);
            const auto stored = known.stored.find(optimum.width);
            row["stored"] = stored == known.stored.end() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(stored->second);
            optima.push_back(row);
        }
        all.push_back(
            {{"problem", nlohmann::ordered_json::parse(known.problem.description)}, {"id", known.problem.id}, {"optima", optima}});
    }
    return all.dump(2) + "\n";
}

bool is_complete(const ProblemOptima& known) { return static_cast<std::int64_t>(leading_optima(known.optima).size()) > known.largest; }

/// Searches what is not stored. Each width is stored as it is found. An exit code if a signal stopped it.
std::optional<ExitCode> search(const OptimumCommand& command, const Campaign& campaign, std::vector<ProblemOptima>& problems,
                               std::string& warnings) {
    if (!command.again && std::ranges::all_of(problems, is_complete)) return std::nullopt;
    SearchSession session(command.search, campaign, static_cast<std::int64_t>(problems.size()), command.json);
    read_stored(command, problems);  // anew: nobody else writes from now on
    const auto trains_for = [](const ProblemOptima& known) { return opt::trains_for_optima(known.problem, known.largest); };
    const bool trains = std::ranges::any_of(problems, trains_for);
    if (!trains) note_unused(command.search, command.backend);
    const std::unique_ptr<Backend> backend = make_backend(command.backend, campaign.cells, command.json || !trains);
    for (ProblemOptima& known : problems) {
        const auto done = [&](const opt::Optimum& found) {
            if (merge(command, known, found, warnings)) session.keep(document_of(known.problem, found));
            if (!opt::has_kink_search(known.problem) && !command.json)
                session.say(fmt::format("{}, width {}: {:.10g}\n", known.problem.label, found.width, found.risk));
        };
        try {
            if (command.again || !is_complete(known))
                (void)opt::find_optima(known.problem, known.largest, *backend, {}, session.control(trains_for(known), done),
                                       command.again ? std::vector<opt::Optimum>{} : leading_optima(known.optima));
        } catch (const opt::SearchStopped&) {
            return session.stopped();
        }
        session.next_problem();
    }
    session.finish();
    return std::nullopt;
}

ExitCode optimum(const OptimumCommand& command) {
    const Campaign campaign = load(command.campaign);
    check_problems(campaign);
    std::vector<ProblemOptima> problems;
    for (const opt::ProblemWidth& one : searched_problems(campaign)) {
        problems.push_back({one.problem, command.largest >= 0 ? std::min(command.largest, one.width) : one.width, {}, {}});
        std::int64_t& largest = problems.back().largest;
        if (largest <= opt::largest_searched_width) continue;
        note(fmt::format("{}: optima are searched up to width {}, not {}\n", one.problem.label, opt::largest_searched_width, largest));
        largest = opt::largest_searched_width;
    }
    read_stored(command, problems);
    std::string warnings;
    if (const std::optional<ExitCode> stopped = search(command, campaign, problems, warnings)) return *stopped;
    std::string text;
    for (const ProblemOptima& known : problems) text += (text.empty() ? "" : "\n") + as_text(known);
    print(command.json ? as_json(problems) : text);
    note(warnings);
    // Trials that lie below an optimum, or below what any network can have.
    return command.search.store.empty() ? ExitCode::Done : verdict_of(summarize(Store::open(command.search.store)));
}

}  // namespace

void add_optimum(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<OptimumCommand>();
    options->search.words = words;
    CLI::App* command = app.add_subcommand("optimum", "search for the smallest risk of every problem and width");
    add_campaign_options(*command, options->campaign);
    CLI::Option* store = command
                             ->add_option("--store", options->search.store,
                                          "save the optima in this store; optima that are already stored are not searched again")
                             ->type_name("FILE");
    command->add_option("--largest", options->largest, "only widths up to H; default: up to the largest of the campaign")
        ->type_name("H")
        ->transform(whole_number(0, opt::largest_searched_width));
    add_search_options(*command, options->search);
    CLI::Option* again = command->add_flag("--again", options->again, "search again and report differences from the stored optima");
    command->add_flag("--replace", options->replace, "replace stored optima by better ones")->needs(again)->needs(store);
    command->add_flag("--json", options->json, "as JSON, with all evidence and parameters");
    add_backend_options(*command, options->backend);
    command->footer(
        examples({"limrisk optimum campaign.toml --largest 2", "limrisk optimum campaign.toml --store campaign.db --seconds 30"}));
    command->callback([&action, options] { action = [options] { return optimum(*options); }; });
}

}  // namespace limrisk::cli
