// What the benchmarks need to do the same work by hand, and stage by stage; the demo itself is `main.ts`.
export { type AirportLookup, createAirportLookup } from './airport-lookup.js';
export { openDarkness } from './darkness-stage.js';
export { openData } from './data.js';
export { SERVER_SETTINGS } from './database.js';
export { flightSink } from './flight-sink.js';
export { flightsOf, type RowFlight } from './flights.js';
export { type Airport, parseAirports } from './night/airports.js';
export { countFlights } from './night/answer.js';
export { nightMiles } from './night/darkness.js';
export { DATA_YEAR, type Flight, isRepeat } from './night/flight.js';
export { type GreatCircle, greatCircle } from './night/great-circle.js';
export { createNightColumns, type FlightColumns } from './night/night-columns.js';
export { createSunTable, type SunTable } from './night/sun-table.js';
export { createZoneClock, wallToUtcMs, type ZoneClock } from './night/zones.js';
export { rejectImpossible } from './reject-impossible.js';
export { prepareTables } from './tables.js';
