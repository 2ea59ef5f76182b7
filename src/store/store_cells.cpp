// Campaign and cells of a store: read when it is opened, written, and those of a campaign taken over.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "campaign/cell_description.hpp"
#include "campaign/optional_columns.hpp"
#include "limrisk/error.hpp"
#include "store/document_table.hpp"
#include "store/store_impl.hpp"
#include "store/utc_now.hpp"

namespace limrisk {
namespace {

/// With the cells that the file holds.
void write_campaign(const sqlite::Database& database, const StoredCampaign& campaign) {
    std::vector<std::string> ids;
    sqlite::Statement cell(database, "SELECT id FROM cells ORDER BY cell");
    while (cell.step()) ids.push_back(cell.text(0));
    database.execute("DELETE FROM campaign");
    sqlite::Statement(database, "INSERT INTO campaign (name, text, version, created, seed, trials, hash) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(1, std::string_view(campaign.name))
        .bind(2, std::string_view(campaign.text))
        .bind(3, std::string_view(campaign.version))
        .bind(4, std::string_view(campaign.created))
        .bind(5, static_cast<std::int64_t>(campaign.seed))
        .bind(6, campaign.trials)
        .bind(7, std::string_view(campaign_hash(campaign, ids)))
        .run();
}

/// As KeptParameters::text() writes them; nothing for any other text.
KeptParameters kept_parameters(const std::string& text) {
    for (unsigned kinds = 1; kinds < 1U << parameter_kinds; ++kinds) {
        KeptParameters keep;
        for (std::size_t kind = 0; kind < parameter_kinds; ++kind) keep.kinds[kind] = (kinds >> kind & 1U) != 0;
        if (keep.text() == text) return keep;
    }
    return {};
}

/// In the caller's transaction.
void write_stopping(const sqlite::Database& database, const std::optional<StoppingCriterion>& stopping) {
    if (stopping)
        put_document(database, {document_kind::stopping, "", 0, "", describe(*stopping), "", ""});
    else
        remove_document(database, document_kind::stopping, "", 0);
}

/// From row `first` on, with the data points and starts that they have and the file lacks. In the caller's transaction.
void insert_cells(const sqlite::Database& database, std::span<const CellConfig> cells, std::int64_t first) {
    sqlite::Statement insert(database, "INSERT INTO cells (cell, id, description) VALUES (?, ?, ?)");
    std::map<std::string, DataPointer> sets;
    std::map<std::string, StartPointer> starts;
    for (const CellConfig& cell : cells) {
        insert.bind(1, first++).bind(2, std::string_view(cell.id)).bind(3, std::string_view(cell.description)).run();
        if (cell.has_given_points()) sets.emplace(cell.data->hash, cell.data);
        if (cell.has_validation()) sets.emplace(cell.data->validation->hash, cell.data->validation);
        if (cell.has_start()) starts.emplace(cell.start->hash, cell.start);
    }
    for (const auto& [hash, start] : starts)
        if (!find_document(database, document_kind::start, hash, 0))
            put_document(database, {document_kind::start, hash, 0, "", start->text, "", ""});
    for (const auto& [hash, data] : sets)
        if (!find_document(database, document_kind::data, hash, 0))
            put_document(database, {document_kind::data, hash, 0, "", data->text, "", ""});
}

}  // namespace

std::string campaign_hash(const StoredCampaign& campaign, std::span<const std::string> cell_ids) {
    std::vector<std::string> parts{
        campaign.name, campaign.text, campaign.version, campaign.created, std::to_string(campaign.seed), std::to_string(campaign.trials)};
    parts.insert(parts.end(), cell_ids.begin(), cell_ids.end());
    return parts_hash(parts);
}

void Store::Impl::create(const Campaign& wanted) {
    sqlite::Transaction transaction(database);
    const bool trials = wanted.store == StoreContents::Trials;
    create_schema(database, {wanted.store, trials && have_last_steps(wanted.cells), trials && wanted.keep.any(),
                             trials && have_average_fields(wanted.cells), trials && have_validation(wanted.cells),
                             trials && have_average_validation(wanted.cells), trials && follow_kinks(wanted.cells)});
    insert_cells(database, wanted.cells, 0);
    write_campaign(database, {wanted.name, wanted.text, LIMRISK_VERSION, utc_now(), wanted.seed, wanted.trials});
    if (wanted.until) write_stopping(database, wanted.until);
    if (wanted.keep.any()) put_document(database, {document_kind::keep, "", 0, "", wanted.keep.text(), "", ""});
    transaction.commit();
}

void Store::Impl::load() {
    layout = check_schema(database);
    sqlite::Statement row(database, "SELECT name, text, version, created, seed, trials, hash FROM campaign");
    if (!row.step()) refuse("is damaged: the table `campaign` is empty");
    campaign = {row.text(0), row.text(1), row.text(2), row.text(3), static_cast<std::uint64_t>(row.integer(4)), row.integer(5)};
    load_cells();
    if (layout.contents == StoreContents::Trials && layout.kinks != follow_kinks(cells))
        refuse(fmt::format("is damaged: a store of {} cell with `tracking.kinks` has another schema version", layout.kinks ? "no" : "a"));
    if (layout.contents == StoreContents::Trials && layout.validation != have_validation(cells))
        refuse(fmt::format("is damaged: a store of {} cell with points for validation has another schema version",
                           layout.validation ? "no" : "a"));
    // Versions 10 and 11 may have such cells, too: they are from before validation risks of averages.
    if (layout.contents == StoreContents::Trials && layout.average_validation && !have_average_validation(cells))
        refuse("is damaged: a store of no cell with an average and points for validation has another schema version");
    if (layout.contents == StoreContents::Trials && layout.averages != have_average_fields(cells))
        refuse(fmt::format("is damaged: a store of {} cell with an average has another schema version", layout.averages ? "no" : "a"));
    if (layout.contents == StoreContents::Trials && layout.early_end != have_last_steps(cells))
        refuse(fmt::format("is damaged: a store of {} cell with `stop` or an average has another schema version",
                           layout.early_end ? "no" : "a"));
    std::vector<std::string> ids;
    for (const CellConfig& cell : cells) ids.push_back(cell.id);
    if (row.text(6) != campaign_hash(campaign, ids)) refuse("is damaged: the tables `campaign` and `cells` do not match their hash");
    if (row.step()) refuse("is damaged: the table `campaign` has more than one row");
    if (const auto document = find_document(database, document_kind::keep, "", 0)) keep = kept_parameters(document->text);
    if (keep.any() != layout.keeps)
        refuse(fmt::format("is damaged: it has {} table of parameters, and its document `{}` says otherwise", layout.keeps ? "a" : "no",
                           document_kind::keep));
    if (const auto document = find_document(database, document_kind::stopping, "", 0)) {
        try {
            stopping = stopping_from_description(document->text);
        } catch (const StoreError& error) {
            refuse(error.what());
        }
    }
}

/// The data points of cells, by their hash.
std::map<std::string, DataPointer> Store::Impl::load_data() const {
    std::map<std::string, DataPointer> sets;
    for (const StoredDocument& document : find_documents(database, document_kind::data)) {
        try {
            sets[document.id] = data_from_text(document.text);
        } catch (const ConfigError& error) {
            refuse(fmt::format("is damaged: data {}: {}", document.id, error.what()));
        }
        if (sets[document.id]->hash != document.id) refuse(fmt::format("is damaged: data {} do not match their hash", document.id));
    }
    return sets;
}

/// The given starts of cells, by their hash.
std::map<std::string, StartPointer> Store::Impl::load_starts() const {
    std::map<std::string, StartPointer> starts;
    for (const StoredDocument& document : find_documents(database, document_kind::start)) {
        try {
            starts[document.id] = start_from_text(document.text);
        } catch (const ConfigError& error) {
            refuse(fmt::format("is damaged: start {}: {}", document.id, error.what()));
        }
        if (starts[document.id]->hash != document.id) refuse(fmt::format("is damaged: start {} does not match its hash", document.id));
    }
    return starts;
}

/// The points that a description says are held out, among the sets of the store.
DataPointer Store::Impl::found_validation(const std::map<std::string, DataPointer>& sets, const DataSet& described,
                                          std::int64_t cell) const {
    const auto found = sets.find(described.hash);
    if (found == sets.end() || !found->second->described_as(described))
        refuse(fmt::format("is damaged: the points for validation of cell {} are missing", cell));
    return found->second;
}

void Store::Impl::load_cells() {
    const std::map<std::string, DataPointer> sets = load_data();
    const std::map<std::string, StartPointer> starts = load_starts();
    std::map<std::array<std::string, 4>, DataPointer> whole;  // by hash, origin, hash for validation, resample
    sqlite::Statement row(database, "SELECT cell, id, description FROM cells NOT INDEXED ORDER BY cell");
    while (row.step()) {
        const auto index = static_cast<std::int64_t>(cells.size());
        const std::string id = row.text(1), description = row.text(2);
        rows.push_back(row.integer(0));
        ++all_rows;
        if (rows.back() != index) refuse(fmt::format("is damaged: cell {} is missing", index));
        if (cell_id(description) != id) refuse(fmt::format("is damaged: the description of cell {} does not match its id {}", index, id));
        try {
            cells.push_back(cell_from_description(description));
        } catch (const StoreError& error) {
            refuse(fmt::format("cell {}: {}", index, error.what()));
        }
        if (CellConfig& cell = cells.back(); cell.has_start()) {
            const auto found = starts.find(cell.start->hash);
            if (found == starts.end() || !found->second->described_as(*cell.start))
                refuse(fmt::format("is damaged: the start of cell {} is missing", index));
            cell.start = found->second;
        }
        if (CellConfig& cell = cells.back(); cell.has_given_points()) {
            const auto found = sets.find(cell.data->hash);
            if (found == sets.end() || !found->second->described_as(*cell.data))
                refuse(fmt::format("is damaged: the data points of cell {} are missing", index));
            const DataPointer validation = cell.has_validation() ? found_validation(sets, *cell.data->validation, index) : nullptr;
            DataPointer& known =
                whole[{cell.data->hash, cell.data->origin, validation == nullptr ? "" : validation->hash, cell.data->resample}];
            if (known == nullptr) {
                auto copy = std::make_shared<DataSet>(*found->second);
                copy->origin = cell.data->origin;
                copy->resample = cell.data->resample;
                copy->per_trial = cell.data->per_trial;
                copy->validation = validation;
                known = std::move(copy);
            }
            cell.data = known;
        }
        cells.back().index = index;
        limits.push_back(record_limits(cells.back()));
    }
}

void Store::Impl::refuse_foreign(const Campaign& wanted, const CampaignDifference& difference, const StoreOpening& opening) const {
    const bool add = opening.add;
    const bool lacks_early_end = layout.contents == StoreContents::Trials && !layout.early_end && ends_early(wanted.cells);
    const bool lacks_averages = layout.contents == StoreContents::Trials && !layout.averages && has_averages(wanted.cells);
    const bool lacks_validation = layout.contents == StoreContents::Trials && !layout.validation && have_validation(wanted.cells);
    const bool lacks_both = layout.contents == StoreContents::Trials && !layout.average_validation && !have_average_validation(cells) &&
                            have_average_validation(wanted.cells);
    const bool lacks_kinks = layout.contents == StoreContents::Trials && !layout.kinks && follow_kinks(wanted.cells);
    const bool can_add = wanted.seed == campaign.seed && wanted.store == layout.contents && !lacks_early_end && !lacks_averages &&
                         !lacks_validation && !lacks_both && !lacks_kinks;
    const bool merging = opening.same_rule;  // what is wanted is another store
    const std::string offer = can_add ? "; with --add both are kept in this store" : "";
    const std::string elsewhere = (merging ? "Merge it into another store" : "Give another --store") + offer;
    if (add && wanted.seed != campaign.seed)
        refuse(fmt::format("has the seed {}, the campaign has {}; a store has one seed: {}", campaign.seed, wanted.seed,
                           merging ? "merge it into another, and summarize both with --pool-seeds" : "give another --store"));
    if (!add && difference.nothing_shared && !difference.text.empty()) {
        refuse(fmt::format("belongs to another campaign: {}. {}", difference.text,
                           merging ? elsewhere : "Give another --store, or run the campaign that made it" + offer));
    }
    if (!add && difference.new_problem) {
        refuse(fmt::format("belongs to another campaign: the one here has another problem. {}. {}", difference.text, elsewhere));
    }
    if (wanted.store != layout.contents) {
        const bool trials = layout.contents == StoreContents::Trials;
        const char *const here = trials ? "trials" : "summary", *const there_only = trials ? "summaries only" : "the record of every trial";
        refuse(fmt::format("contains {} (store = \"{}\"), the campaign asks for {}; {}",
                           trials ? "the record of every trial" : "summaries only", here, there_only,
                           merging ? "the two cannot be put together" : fmt::format("give another --store, or --set store={}", here)));
    }
    if (wanted.keep != keep)
        refuse(
            fmt::format("keeps {} of its trials, the campaign asks for keep = {}; all trials of a store have the same kept: {}",
                        keep.any() ? "the parameters " + keep.text() : "no parameters", wanted.keep.text(),
                        merging ? "the two cannot be put together" : fmt::format("give another --store, or --set 'keep={}'", keep.text())));
    if (opening.same_rule && wanted.until != stopping)
        refuse(fmt::format("has another stopping rule: there {}, here {}. `limrisk run` with the campaign changes it",
                           stopping_text(stopping, campaign.trials), stopping_text(wanted.until, wanted.trials)));
    if (lacks_kinks)
        refuse(fmt::format(
            "has no cell with `tracking.kinks`, so it has no place for what is known of kinks: {}. Give another --store; to merge, "
            "begin a new store with the part that has one",
            difference.text));
    if (lacks_validation)
        refuse(
            fmt::format("has no cell with points for validation, so it has no place for validation risks: {}. Give another --store; to "
                        "merge, begin a new "
                        "store with the part that has one",
                        difference.text));
    if (lacks_both && !lacks_averages)
        refuse(
            fmt::format("has no cell with an average and points for validation, so it has no place for validation risks of averages: {}. "
                        "Give another --store; to merge, begin a new store with the part that has one",
                        difference.text));
    if (lacks_averages)
        refuse(
            fmt::format("has no cell with an average of the iterates, so it has no place for what is known of one: {}. Give another "
                        "--store; to merge, begin a new store with the part that has one",
                        difference.text));
    if (lacks_early_end)
        refuse(
            fmt::format("has no cell with `stop`, so it has no place for the step at which a trial ended early: {}. Give another --store; "
                        "to merge, begin a new store with the part that has one",
                        difference.text));
}

/// Sums over more trials than the rule allows cannot be taken apart.
void Store::Impl::refuse_longer_sums(const StoppingCriterion& criterion) const {
    for (const BlockKey& key : keys())
        if (key.first_trial + key.count > criterion.at_most)
            refuse(
                fmt::format("has sums over the trials {} of cell {}, more than the {} that the rule of the campaign allows; sums cannot be "
                            "taken apart: "
                            "give another --store, or at_most = {} or more",
                            range_text(key), key.cell, criterion.at_most, key.first_trial + key.count));
}

void Store::Impl::leave(const Campaign& wanted) {
    std::map<std::string, std::size_t> position_of;
    for (std::size_t k = 0; k < cells.size(); ++k) position_of.emplace(cells[k].id, k);
    std::vector<CellConfig> ordered;
    std::vector<std::int64_t> ordered_rows;
    limits.clear();
    for (const CellConfig& cell : wanted.cells) {
        const auto position = position_of.find(cell.id);
        if (position == position_of.end()) continue;
        ordered_rows.push_back(rows[position->second]);
        ordered.push_back(std::move(cells[position->second]));
        ordered.back().index = static_cast<std::int64_t>(ordered.size()) - 1;
        limits.push_back(record_limits(ordered.back()));
    }
    cells = std::move(ordered);
    rows = std::move(ordered_rows);
    keys_version = -1;
}

void Store::Impl::adopt(const Campaign& wanted, const StoreOpening& opening) {
    const CampaignDifference difference = campaign_difference(wanted, cells);
    refuse_foreign(wanted, difference, opening);
    growth = {difference.added, difference.kept};
    const bool more = wanted.trials > campaign.trials, other_rule = wanted.until != stopping;
    if (other_rule && growth.kept > 0)
        refuse(
            fmt::format("has another stopping rule: there {}, here {}; a rule holds for all cells of a store, and {} of them {} not in "
                        "this campaign. Give another --store, or the rule that is there",
                        stopping_text(stopping, campaign.trials), stopping_text(wanted.until, wanted.trials), growth.kept,
                        growth.kept == 1 ? "is" : "are"));
    if (layout.contents == StoreContents::Summary && wanted.until) refuse_longer_sums(*wanted.until);
    const std::int64_t trials_before = campaign.trials;
    if (difference.added > 0 || more || other_rule) {
        sqlite::Transaction transaction(database);
        if (difference.added > 0) {
            std::set<std::string> there;
            for (const CellConfig& cell : cells) there.insert(cell.id);
            std::vector<CellConfig> missing;
            for (const CellConfig& cell : wanted.cells)
                if (!there.contains(cell.id)) missing.push_back(cell);
            insert_cells(database, missing, all_rows);
            for (CellConfig& cell : missing) {
                rows.push_back(all_rows++);
                cells.push_back(std::move(cell));
            }
            // Of two campaigns in one store it names the first.
            if (!difference.nothing_shared && !difference.new_problem) {
                campaign.name = wanted.name;
                campaign.text = wanted.text;
            }
        }
        campaign.trials = std::max(campaign.trials, wanted.trials);
        if (difference.added > 0 || more) write_campaign(database, campaign);
        if (other_rule) {
            write_stopping(database, wanted.until);
            stopping_change = StoppingChange{stopping, wanted.until, trials_before, campaign.trials};
            stopping = wanted.until;
        }
        transaction.commit();
    }
    campaign.trials = wanted.trials;  // of this run; the file keeps the most that were asked for
    leave(wanted);
}

}  // namespace limrisk
