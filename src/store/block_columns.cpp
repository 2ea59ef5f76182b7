// Packing, unpacking and sealing of blocks; see block_columns.hpp.
#include "store/block_columns.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <new>

namespace limrisk {
namespace {

static_assert(std::endian::native == std::endian::little, "columns are copied as they lie in memory: little-endian");
static_assert(sizeof(Verdict) == 4);

/// Streaming XXH3-128.
class Hasher {
public:
    Hasher() : state_(XXH3_createState(), XXH3_freeState) {
        if (!state_) throw std::bad_alloc();
        XXH3_128bits_reset(state_.get());
    }
    void add(std::string_view bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
    void add(std::int64_t value) { XXH3_128bits_update(state_.get(), &value, sizeof value); }
    std::string digits() const {
        XXH128_canonical_t canonical;
        XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_.get()));
        return fmt::format("{:02x}", fmt::join(canonical.digest, ""));
    }

private:
    std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

/// Fields of a block of version 14 or 15.
struct ChosenFields {
    std::array<TrialField, all_trial_fields.size()> fields{};
    std::size_t count = 0;

    constexpr void add(std::span<const TrialField> more) {
        for (const TrialField& field : more) fields[count++] = field;
    }
};

constexpr ChosenFields chosen_fields(bool averages, bool validation, bool both) {
    ChosenFields chosen;
    chosen.add(trial_fields);
    chosen.add(std::span(&last_step_field, 1));
    if (averages) chosen.add(average_fields);
    if (validation) chosen.add(validation_fields);
    if (both) chosen.add(std::span(&average_validation_field, 1));
    chosen.add(kink_fields);
    return chosen;
}

}  // namespace

std::span<const TrialField> block_fields(const BlockFields& chosen) {
    if (!chosen.kinks) return block_fields(chosen.last_step, chosen.averages, chosen.validation, chosen.average_validation);
    static constexpr std::array<ChosenFields, 8> all{chosen_fields(false, false, false), chosen_fields(true, false, false),
                                                     chosen_fields(false, true, false),  chosen_fields(true, true, false),
                                                     chosen_fields(false, false, true),  chosen_fields(true, false, true),
                                                     chosen_fields(false, true, true),   chosen_fields(true, true, true)};
    const ChosenFields& fields = all[static_cast<std::size_t>(chosen.averages) + 2 * static_cast<std::size_t>(chosen.validation) +
                                     4 * static_cast<std::size_t>(chosen.average_validation)];
    return std::span(fields.fields).first(fields.count);
}

BlockColumns pack_columns(std::span<const TrialRecord> records, std::span<const TrialField> fields) {
    BlockColumns columns;
    for (const TrialField& field : fields) {
        const std::size_t size = field_size(field.type);
        columns.emplace_back(size * records.size(), '\0');
        char* to = columns.back().data();
        for (const TrialRecord& record : records) {
            std::memcpy(to, reinterpret_cast<const char*>(&record) + field.offset, size);
            to += size;
        }
    }
    return columns;
}

BlockColumnViews column_views(const BlockColumns& columns) { return {columns.begin(), columns.end()}; }

std::vector<TrialRecord> unpack_columns(const BlockColumnViews& columns, std::int64_t count, std::span<const TrialField> fields) {
    std::vector<TrialRecord> records(static_cast<std::size_t>(count));
    for (std::size_t f = 0; f < columns.size(); ++f) {
        const std::size_t size = field_size(fields[f].type);
        const char* from = columns[f].data();
        for (TrialRecord& record : records) {
            std::memcpy(reinterpret_cast<char*>(&record) + fields[f].offset, from, size);
            from += size;
        }
    }
    return records;
}

std::string block_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t count, const BlockColumnViews& columns,
                       bool chosen) {
    Hasher hasher;
    hasher.add(chosen                                                    ? chosen_schema_version
               : columns.size() == trial_fields.size()                   ? schema_version
               : columns.size() == trial_fields.size() + 1               ? early_end_schema_version
               : columns.size() == block_fields(true, true).size()       ? average_schema_version
               : columns.size() == block_fields(true, true, true).size() ? validation_schema_version
                                                                         : average_validation_schema_version);
    hasher.add(first_trial);
    hasher.add(count);
    hasher.add(cell_id);
    for (const std::string_view column : columns) hasher.add(column);
    return hasher.digits();
}

std::string parts_hash(std::span<const std::string> parts) {
    const std::vector<std::string_view> views(parts.begin(), parts.end());
    return parts_hash(views);
}

std::string parts_hash(std::span<const std::string_view> parts) {
    Hasher hasher;
    for (const std::string_view part : parts) {
        hasher.add(static_cast<std::int64_t>(part.size()));
        hasher.add(part);
    }
    return hasher.digits();
}

}  // namespace limrisk
