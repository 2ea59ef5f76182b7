// Text -> tree -> axes -> cells. All problems are collected before anything is refused, all sizes are known before anything is allocated.
#include "campaign/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include "campaign/alternative.hpp"
#include "campaign/cell_description.hpp"
#include "campaign/consistency.hpp"
#include "campaign/document.hpp"
#include "campaign/optional_columns.hpp"
#include "campaign/other_names.hpp"
#include "campaign/schema.hpp"
#include "campaign/target_text.hpp"
#include "campaign/trials_key.hpp"
#include "expression/expression.hpp"
#include "expression/nearest_name.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

std::vector<std::string> keys_of(std::string_view table) {
    std::vector<std::string> names;
    for (const SchemaKey& key : campaign_schema()) {
        if (table == key.table) names.emplace_back(key.parameter.name);
        if (table.empty() && *key.table != '\0' && std::find(names.begin(), names.end(), key.table) == names.end())
            names.emplace_back(key.table);
    }
    return names;
}

/// A name that can be meant, and its path in a campaign.
struct Place {
    std::string table, name, path;
};

/// Keys of the schema, then parameters of the choices, which stand a level deeper.
std::vector<Place> all_places() {
    std::vector<Place> places;
    for (const SchemaKey& key : campaign_schema()) places.push_back({key.table, key.parameter.name, key.path()});
    for (const SchemaKey& key : campaign_schema()) {
        if (key.parameter.catalog == nullptr) continue;
        for (const CatalogEntry& entry : key.parameter.catalog->entries)
            for (const Parameter& parameter : entry.parameters)
                places.push_back({key.table, parameter.name, key.path() + "." + parameter.name});
    }
    return places;
}

/// Path of the key that was probably meant, also for a right name in a wrong table, or the name of another program; empty if none is near.
std::string meant_key(const std::string& table, const std::string& name) {
    const std::vector<Place> places = all_places();
    const auto path_of = [&](const std::string& wanted, bool here) {
        for (const Place& place : places)
            if (!wanted.empty() && wanted == place.name && (!here || place.table == table)) return place.path;
        return std::string();
    };
    std::vector<std::string> keys, here, everywhere;
    for (const SchemaKey& key : campaign_schema()) keys.emplace_back(key.parameter.name);
    for (const Place& place : places) {
        everywhere.push_back(place.name);
        if (place.table == table) here.push_back(place.name);
    }
    const std::string near = nearest_name(name, keys_of(table));
    for (const std::string& path : {path_of(name, true), path_of(name, false), path_of(name_elsewhere(name, here), true),
                                    path_of(name_elsewhere(name, everywhere), false)})
        if (!path.empty()) return path;
    if (!near.empty()) return table.empty() ? near : table + "." + near;
    return path_of(nearest_name(name, keys), false);
}

/// Refuses keys that no table has. Returns the keys and tables that are accounted for by that: no need to call them missing as well.
std::set<std::string> refuse_unknown_keys(const Node& root, Problems& problems) {
    std::set<std::string> accounted;
    const auto refuse = [&](const std::string& table, const std::string& name, const Node& value) {
        const std::string meant = meant_key(table, name);
        if (!meant.empty()) accounted.insert(meant);
        problems.add(value.place, (table.empty() ? "" : table + ".") + abbreviated(name),
                     fmt::format("unknown; the keys of {} are {}{}", table.empty() ? "a campaign" : "[" + table + "]",
                                 fmt::join(keys_of(table), ", "), meant.empty() ? "" : fmt::format("; did you mean `{}`?", meant)));
    };
    const std::vector<std::string> top = keys_of("");
    for (const auto& [name, member] : root.members) {
        if (std::find(top.begin(), top.end(), name) == top.end()) {
            refuse("", name, member);
            continue;
        }
        const bool is_table = find_key(name) == nullptr;
        if (!is_table) continue;
        const std::vector<std::string> known = keys_of(name);
        if (member.kind != Node::Kind::Table) {
            accounted.insert(name);
            problems.add(member.place, name,
                         fmt::format("{}; allowed is a table with the keys {}", member.shown(), fmt::join(known, ", ")));
            continue;
        }
        for (const auto& [inner, value] : member.members) {
            if (std::find(known.begin(), known.end(), inner) == known.end()) refuse(name, inner, value);
        }
    }
    return accounted;
}

class Reader {
public:
    Reader(const Node& root, const std::string& source, std::optional<std::uint64_t> seed, Problems& problems)
        : root_(root), source_(source), seed_(seed), problems_(problems) {}

    void read(Campaign& campaign) {
        accounted_ = refuse_unknown_keys(root_, problems_);
        for (const SchemaKey& key : campaign_schema()) {
            if (key.scope == KeyScope::Sweep) {
                read_axis(key);
            } else {
                read_single(key, campaign);
            }
        }
        refuse_of_summaries(campaign);
        const std::int64_t cells = count_cells();
        judge_effects();
        check_consistency(axes_, problems_);
        problems_.raise();
        respell();
        build_cells(campaign, cells);
        refuse_duplicates(campaign);
        refuse_starts(campaign);
        refuse_averages(campaign);
        refuse_shares(campaign);
        problems_.raise();
    }

private:
    const Node* find(const SchemaKey& key) const {
        const Node* table = *key.table == '\0' ? &root_ : root_.find(key.table);
        return table == nullptr || table->kind != Node::Kind::Table ? nullptr : table->find(key.parameter.name);
    }

    void missing(const SchemaKey& key) {
        if (accounted_.count(key.path()) + accounted_.count(key.table) > 0) return;
        const Node* table = *key.table == '\0' ? nullptr : root_.find(key.table);
        problems_.add(table == nullptr ? source_ : table->place, key.path(),
                      fmt::format("missing; it must be given: {} ({})", key.parameter.allowed(), key.parameter.explanation()));
    }

    void read_single(const SchemaKey& key, Campaign& campaign) {
        const Node* node = find(key);
        const Parameter& parameter = key.parameter;
        if (node == nullptr && parameter.required) return missing(key);
        if (node == nullptr) return;
        const std::string_view name = parameter.name;
        if (name == "keep") return read_keep(parameter, *node, campaign.keep);
        if (node->kind == Node::Kind::Array) {
            problems_.add(node->place, key.path(),
                          fmt::format("a list; {} holds for the whole campaign and cannot be swept, allowed is {}", parameter.name,
                                      parameter.allowed()));
            return;
        }
        if (name == "trials") return read_trials(parameter, *node, campaign, problems_);
        const std::optional<ParameterValue> value = read_value(parameter, *node, key.path(), problems_);
        if (!value) return;
        if (name == "seed") campaign.seed = seed_.value_or(static_cast<std::uint64_t>(value->integer));
        if (name == "store") campaign.store = static_cast<StoreContents>(value->integer);
        if (name != "name") return;
        campaign.name = value->text;
        const bool printable = std::none_of(campaign.name.begin(), campaign.name.end(),
                                            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
        if (campaign.name.empty() || campaign.name.size() > 100 || !printable) {
            problems_.add(node->place, key.path(), fmt::format("{}; allowed are 1 to 100 printable characters", node->shown()));
        }
    }

    /// A word, or a list of words.
    void read_keep(const Parameter& parameter, const Node& node, KeptParameters& keep) {
        const std::vector<Node> one{node};
        for (const Node& word : node.kind == Node::Kind::Array ? node.items : one) {
            const std::optional<ParameterValue> value = read_value(parameter, word, parameter.name, problems_);
            if (!value) continue;
            bool& kept = keep.kinds.at(static_cast<std::size_t>(value->integer));
            if (kept) problems_.add(word.place, parameter.name, fmt::format("{} twice; write it once", word.shown()));
            kept = true;
        }
    }

    void refuse_of_summaries(const Campaign& campaign) {
        if (campaign.store != StoreContents::Summary || !campaign.keep.any()) return;
        problems_.add(root_.find("keep")->place, "keep",
                      "has parameters of every trial, but store = \"summary\" keeps only sums over trials; leave it out, or take "
                      "store = \"trials\"");
    }

    void read_axis(const SchemaKey& key) {
        const std::string path = key.path();
        const Node* node = find(key);
        if (node != nullptr) {
            axes_[path] = read_parameter(key.parameter, *node, path, problems_);
        } else if (key.parameter.fallback != nullptr) {
            axes_[path] = read_parameter(key.parameter, *scalar_from_text(key.parameter.fallback, source_), path, problems_);
        } else if (key.parameter.required && key.effect.in == nullptr) {
            missing(key);
            axes_[path] = {};
        }
    }

    /// Refuses keys that would have no effect in any cell, and misses the required ones that have an effect in some.
    void judge_effects() {
        for (const SchemaKey& key : campaign_schema()) {
            if (key.effect.in == nullptr || key.effect.key == nullptr) continue;
            // Data decide beside every other key, and a key that is not given decides as its default does.
            std::vector<CellConfig> cells(1);
            for (const char* path : {"problem.data", key.effect.beside, key.effect.key}) {
                const auto axis = path == nullptr ? axes_.end() : axes_.find(path);
                if (axis == axes_.end()) continue;
                std::vector<CellConfig> combined;
                for (const CellConfig& cell : cells)
                    for (const Alternative& alternative : axis->second) alternative.apply(combined.emplace_back(cell));
                cells = std::move(combined);
            }
            if (cells.empty()) continue;  // a value could not be read
            const bool anywhere = std::any_of(cells.begin(), cells.end(), [&](const CellConfig& cell) { return key.effect.in(cell); });
            const Node* given = find(key);
            if (given == nullptr && anywhere && key.parameter.required) missing(key);
            if (given != nullptr && !anywhere)
                problems_.add(given->place, key.path(), fmt::format("{}; {}", given->shown(), key.effect.elsewhere));
        }
    }

    /// Number of combinations of all axes; a problem if it exceeds the limit.
    std::int64_t count_cells() {
        std::int64_t count = 1;
        for (const auto& [path, axis] : axes_) {
            if (axis.size() > 1) longest_.push_back(fmt::format("{} values of {}", axis.size(), path));
            count = std::min(max_cells + 1, count * static_cast<std::int64_t>(std::clamp<std::size_t>(axis.size(), 1, max_cells + 1)));
        }
        if (count > max_cells) {
            problems_.add(source_, "",
                          fmt::format("more than {} cells ({}); at most that many are allowed", max_cells, fmt::join(longest_, " x ")));
            problems_.raise();
        }
        std::size_t longest_text = 0;
        for (const auto& [path, axis] : axes_)
            for (const Alternative& alternative : axis)
                longest_text = std::max(longest_text, alternative.assignments.back().value.teacher != nullptr
                                                          ? max_expression_length
                                                          : alternative.assignments.back().value.text.size());
        // A cell holds its target twice, in plain and in its description.
        if (count * static_cast<std::int64_t>(1024 + 2 * longest_text) > max_campaign_memory) {
            problems_.add(
                source_, "",
                fmt::format("{} cells with targets of up to {} characters need too much memory; split the campaign", count, longest_text));
            problems_.raise();
        }
        return count;
    }

    /// Another spelling makes no other cell.
    void respell() {
        for (const SchemaKey& key : campaign_schema()) {
            const auto axis = axes_.find(key.path());
            if (key.spelling == nullptr || axis == axes_.end()) continue;
            for (Alternative& alternative : axis->second) {
                std::string& text = alternative.assignments.back().value.text;
                text = key.spelling(text);
            }
        }
    }

    void build_cells(Campaign& campaign, std::int64_t count) {
        struct Swept {
            const SchemaKey* key;
            const Axis* axis;
        };
        std::vector<Swept> order;
        for (const SchemaKey& key : campaign_schema()) {
            const auto found = axes_.find(key.path());
            if (found != axes_.end()) order.push_back({&key, &found->second});
        }
        std::set<std::string> ids;
        for (std::int64_t index = 0; index < count; ++index) {
            CellConfig cell = unset_cell();
            cell.seed = campaign.seed;
            std::int64_t rest = count, position = index;
            std::vector<const SchemaKey*> varied;  // beyond their first values
            for (const auto& [key, axis] : order) {
                rest /= static_cast<std::int64_t>(axis->size());
                (*axis)[static_cast<std::size_t>(position / rest)].apply(cell);
                if (position / rest > 0) varied.push_back(key);
                position %= rest;
            }
            const CellConfig said = cell;
            try {
                complete(cell);
            } catch (const ConfigError& error) {  // of data that are drawn
                const Node* data = find(*find_key("problem.data"));
                problems_.add(data == nullptr ? source_ : data->place, "problem.data", error.problems().front());
                if (problems_.full()) return;
                continue;
            }
            // Where a key has no effect, neither in what is said nor in what follows, the cell would repeat for every value.
            const auto in_vain = [&](const SchemaKey* key) {
                return key->effect.in != nullptr && !key->effect.in(cell) && !key->effect.in(said);
            };
            if (std::any_of(varied.begin(), varied.end(), in_vain)) continue;
            cell.index = static_cast<std::int64_t>(campaign.cells.size());
            cell.description = describe(cell);
            cell.id = cell_id(cell.description);
            // A decay of 0 is the same cell with both values of `decoupled`.
            if (!ids.insert(cell.id).second && said.optimizer.decoupled != cell.optimizer.decoupled) continue;
            fill_labels(cell);
            campaign.cells.push_back(std::move(cell));
        }
    }

    /// Averages and validation risks that the store has no place for, and kept averages that there are not.
    void refuse_averages(const Campaign& campaign) {
        const bool averages = has_averages(campaign.cells);
        if (averages && campaign.store == StoreContents::Summary)
            problems_.add(find(*find_key("training.average"))->place, "training.average",
                          "has results of its own in every trial, but store = \"summary\" keeps only sums over trials, and none of "
                          "averages; leave it out, or take store = \"trials\"");
        if (have_validation(campaign.cells) && campaign.store == StoreContents::Summary)
            problems_.add(
                find(*find_key("problem.data"))->place, "problem.data",
                "has points that are held out, so every trial has a validation risk, but store = \"summary\" keeps only sums over "
                "trials, and none of validation risks; leave holdout or validation out, or take store = \"trials\"");
        if (!averages && campaign.keep.has(ParameterKind::Average))
            problems_.add(root_.find("keep")->place, "keep",
                          "has \"average\", but no cell has an average of its iterates; leave it out, or write training.average");
    }

    /// What given starts, and conditions on drawn ones, have to do with the trials.
    void refuse_starts(const Campaign& campaign) {
        const bool counts_inactive = campaign.until && campaign.until->event == StoppingCriterion::Event::Inactive;
        for (const CellConfig& cell : campaign.cells) {
            if (cell.has_condition() && counts_inactive) {
                problems_.add(find(*find_key("network.condition"))->place, "network.condition",
                              "says how many neurons are inactive at the start, which is no chance event then that `trials.until` can "
                              "count; take another event, or a number of trials alone");
                return;
            }
            if (!cell.has_start()) continue;
            const std::int64_t starts = cell.start->trials;
            std::string wrong;
            if (starts > 0 && campaign.trials > starts)
                wrong = fmt::format("has the starts of {} trials, the campaign has {} trials; allowed are at most {}", starts,
                                    campaign.trials, starts);
            else if (starts == 0 && campaign.trials > 1 && cell.has_full_batch() && !cell.has_own_points())
                wrong =
                    "is one start for all trials, and every step uses the same points, so all trials are the same; take trials = 1, or "
                    "a start for each trial";
            else if (counts_inactive)
                wrong =
                    "gives the neurons at the start, so how many are inactive there is no chance event that `trials.until` can count; "
                    "take another event, or a number of trials alone";
            if (wrong.empty()) continue;
            problems_.add(find(*find_key("network.initial"))->place, "network.initial", wrong);
            return;
        }
    }

    /// What trials that are shared out over strata need: strata, the record of every trial, and more trials than the pilots take.
    void refuse_shares(const Campaign& campaign) {
        if (!campaign.until || !campaign.until->is_shared()) return;
        const Node* place = root_.find("trials");
        const auto refuse = [&](const std::string& why) { problems_.add(place == nullptr ? source_ : place->place, "trials.share", why); };
        std::set<std::int64_t> strata;
        for (const CellConfig& cell : campaign.cells)
            if (cell.has_condition()) strata.insert(cell.inactive_start);
        if (strata.empty())
            refuse(
                "shares trials out over strata, but no cell has a condition on its start; give network.condition, such as "
                "{ inactive_neurons = [0, 1] }, or trials as a number");
        else if (campaign.store == StoreContents::Summary)
            refuse(
                "leaves the trials of the pilots out of an interval, but store = \"summary\" keeps sums that cannot be taken apart; take "
                "store = \"trials\"");
        else if (const auto count = static_cast<std::int64_t>(strata.size()); campaign.until->at_most / count <= campaign.until->pilot)
            refuse(fmt::format(
                "the pilots of {} strata take {} trials each, so at_most = {} leaves none to share out; allowed are at least {}", count,
                campaign.until->pilot, campaign.until->at_most, count * (campaign.until->pilot + 1)));
    }

    void refuse_duplicates(const Campaign& campaign) {
        std::map<std::string_view, const CellConfig*> seen;
        int repeated = 0;
        for (const CellConfig& cell : campaign.cells) {
            const auto [found, added] = seen.emplace(cell.id, &cell);
            if (added) continue;
            if (++repeated > 3) break;  // one repeated value shows in many cells
            problems_.add(source_, "",
                          fmt::format("cells {} and {} are the same (width {}, {}, {}, {}, {}); a list repeats a value, remove it",
                                      found->second->index, cell.index, cell.width, cell.activation_label, cell.initialization_label,
                                      cell.optimizer_label, cell.input_label));
        }
    }

    const Node& root_;
    std::string source_;
    std::optional<std::uint64_t> seed_;  ///< of the command line
    Problems& problems_;
    std::set<std::string> accounted_;  ///< keys whose absence another problem explains
    Axes axes_;
    std::vector<std::string> longest_;
};

/// Writes choices of the catalog at `node` in the call form, such as "adam(0.01)", as tables if `rest` leads on into their parameters.
void open_choices(const Catalog& catalog, Node& node, std::string_view rest) {
    if (rest.empty()) return;
    for (Node& item : node.items) open_choices(catalog, item, rest);
    if (node.kind == Node::Kind::Text) write_as_table(catalog, node);
    const std::size_t dot = rest.find('.');
    Node* next = node.find(rest.substr(0, dot));
    if (next == nullptr || dot == std::string_view::npos) return;
    for (const CatalogEntry& entry : catalog.entries)
        for (const Parameter& parameter : entry.parameters)
            if (rest.substr(0, dot) == parameter.name && parameter.catalog != nullptr)
                return open_choices(*parameter.catalog, *next, rest.substr(dot + 1));
}

/// The same for a dotted key of a whole campaign.
void open_choices(Node& root, std::string_view path) {
    for (const SchemaKey& key : campaign_schema()) {
        if (key.parameter.catalog == nullptr || !path.starts_with(key.path() + ".")) continue;
        Node* table = *key.table == '\0' ? &root : root.find(key.table);
        Node* choice = table == nullptr ? nullptr : table->find(key.parameter.name);
        if (choice != nullptr) open_choices(*key.parameter.catalog, *choice, path.substr(key.path().size() + 1));
    }
}

}  // namespace

Campaign parse_campaign(std::string_view text, const std::string& source, const Overrides& overrides) {
    Node root = parse_document(text, source);
    Problems problems;
    std::vector<std::string> wrong;
    for (const auto& [key, value] : overrides.set) {
        open_choices(root, key);
        override_value(root, key, value, "--set", wrong);
    }
    if (overrides.trials) override_value(root, trials_key(root), fmt::format("{}", *overrides.trials), "--trials", wrong);
    if (overrides.steps) override_value(root, "steps", fmt::format("{}", *overrides.steps), "--steps", wrong);
    // TOML's integers end at 2^63 - 1, a seed does not.
    const bool small_seed = overrides.seed && *overrides.seed <= 9223372036854775807ULL;
    if (overrides.seed) override_value(root, "seed", small_seed ? fmt::format("{}", *overrides.seed) : "0", "--seed", wrong);
    for (std::string& problem : wrong) problems.add(std::move(problem));
    if (Node* problem = root.find("problem"); problem != nullptr && problem->kind == Node::Kind::Table)
        if (Node* data = problem->find("data")) resolve_data_files(*data, std::filesystem::path(source).parent_path());

    if (Node* network = root.find("network"); network != nullptr && network->kind == Node::Kind::Table)
        if (Node* initial = network->find("initial")) resolve_start_files(*initial, std::filesystem::path(source).parent_path());

    Campaign campaign;
    campaign.text = text;
    Reader(root, source, overrides.seed, problems).read(campaign);
    return campaign;
}

bool names_data_file(std::string_view text) {
    try {
        const Node root = parse_document(text, "campaign");
        const auto names_one = [](const Node& value) { return value.kind == Node::Kind::Text || value.find("file") != nullptr; };
        for (const auto& [table, key] : {std::pair("problem", "data"), std::pair("network", "initial")}) {
            const Node* keys = root.find(table);
            const Node* value = keys == nullptr || keys->kind != Node::Kind::Table ? nullptr : keys->find(key);
            if (value != nullptr && (names_one(*value) || std::any_of(value->items.begin(), value->items.end(), names_one))) return true;
        }
        return false;
    } catch (const ConfigError&) {
        return false;
    }
}

Campaign load_campaign(const std::filesystem::path& path, const Overrides& overrides) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(max_campaign_bytes + 1, '\0');
    if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad() || (file.fail() && !file.eof())) {
        const std::string reason = std::filesystem::is_directory(path) ? "it is a directory" : std::strerror(errno != 0 ? errno : EIO);
        throw Error(ExitCode::InputOutput,
                    fmt::format("cannot read the campaign {}: {}; give the path of a TOML file", path.string(), reason));
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.starts_with("SQLite format 3"))
        throw Error(ExitCode::Data,
                    fmt::format("{} is a store or another SQLite file; here the campaign file (TOML) is needed", path.string()));
    return parse_campaign(text, path.string(), overrides);
}

}  // namespace limrisk
