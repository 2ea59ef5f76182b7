// See seal.hpp. The table `seals` has a row per sealed table; docs/formats.md.
#include "store/seal.hpp"

#include <fmt/format.h>

#include <charconv>

#include "limrisk/error.hpp"

namespace limrisk {

constexpr std::size_t half_digits = 16;

void Seal::combine(std::string_view hash) {
    for (std::size_t half = 0; half < sum_.size(); ++half) {
        const std::string_view digits = hash.substr(std::min(hash.size(), half * half_digits), half_digits);
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc() || digits.size() != half_digits || end != digits.data() + digits.size()) value = 0;
        sum_[half] ^= value;
    }
}

void Seal::add(std::string_view hash) {
    ++rows_;
    combine(hash);
}

void Seal::remove(std::string_view hash) {
    --rows_;
    combine(hash);
}

std::string Seal::hash() const { return fmt::format("{:016x}{:016x}", sum_[0], sum_[1]); }

Seal Seal::read(const sqlite::Database& database, const std::string& table) {
    sqlite::Statement row(database, "SELECT rows, hash FROM seals WHERE name = ?");
    row.bind(1, std::string_view(table));
    Seal seal;
    if (!row.step())
        throw StoreError(ExitCode::Data,
                         fmt::format("store {}: is damaged: the seal of the table `{}` is missing", database.path().string(), table));
    seal.combine(row.text(1));
    seal.rows_ = row.integer(0);
    return seal;
}

void Seal::write(const sqlite::Database& database, const std::string& table) const {
    sqlite::Statement(database, "INSERT OR REPLACE INTO seals (name, rows, hash) VALUES (?, ?, ?)")
        .bind(1, std::string_view(table))
        .bind(2, rows_)
        .bind(3, std::string_view(hash()))
        .run();
}

std::string seal_problem(const sqlite::Database& database, const std::string& table, const Seal& found) {
    const Seal kept = Seal::read(database, table);
    if (kept == found) return "";
    return fmt::format("is damaged: the table `{}` {}; restore it from a copy, or move it away and run the campaign again", table,
                       kept.rows() == found.rows() ? "has other rows than were written"
                                                   : fmt::format("has {} rows, {} were written", found.rows(), kept.rows()));
}

}  // namespace limrisk
